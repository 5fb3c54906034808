// /sign-in: every way in that the server offers.
import { t, tn } from "./language.js";
import { h, notice } from "./ui.js";

export async function render(root, ctx) {
  const entries = ctx.entries("sign-in");
  const next = ctx.query.get("next");
  const query = next ? `?next=${encodeURIComponent(next)}` : "";
  const parts = await Promise.all(entries.map(ctx.render));
  root.append(h("div", { class: "card narrow" },
    h("h1", {}, t("Sign in")),
    entries.length ? alternatives(parts) : notice("info", t("This site offers no way to sign in here.")),
    ctx.entries("sign-up").length > 0 && h("p", { class: "foot" }, tn("New here? {link}", { link: h("a", { href: ctx.href(`/sign-up${query}`) }, t("Create an account")) }))));
  return t("Sign in");
}

/** Several ways to the same end, with a line between them. */
export function alternatives(parts) {
  return parts.flatMap((p, i) => (i ? [h("p", { class: "or" }, h("span", {}, t("or"))), p] : [p]));
}
