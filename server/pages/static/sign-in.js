// /sign-in: every way in that the server offers.
import { h, notice } from "./ui.js";

export async function render(root, ctx) {
  const entries = ctx.entries("sign-in");
  const next = ctx.query.get("next");
  const query = next ? `?next=${encodeURIComponent(next)}` : "";
  const parts = await Promise.all(entries.map(ctx.render));
  root.append(h("div", { class: "card narrow" },
    h("h1", {}, "Sign in"),
    entries.length ? alternatives(parts) : notice("info", "This site offers no way to sign in here."),
    ctx.entries("sign-up").length > 0 && h("p", { class: "foot" }, "New here? ", h("a", { href: ctx.href(`/sign-up${query}`) }, "Create an account"))));
  return "Sign in";
}

/** Several ways to the same end, with a line between them. */
export function alternatives(parts) {
  return parts.flatMap((p, i) => (i ? [h("p", { class: "or" }, h("span", {}, "or")), p] : [p]));
}
