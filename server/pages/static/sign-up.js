// /sign-up: every way to make an account that the server offers.
import { alternatives } from "./sign-in.js";
import { h, notice } from "./ui.js";

export async function render(root, ctx) {
  const entries = ctx.entries("sign-up");
  const parts = await Promise.all(entries.map(ctx.render));
  root.append(h("div", { class: "card narrow" },
    h("h1", {}, "Create an account"),
    entries.length ? alternatives(parts) : notice("info", "New accounts cannot be made here."),
    h("p", { class: "foot" }, "You have an account? ", h("a", { href: ctx.href(`/sign-in${location.search}`) }, "Sign in"))));
  return "Create an account";
}
