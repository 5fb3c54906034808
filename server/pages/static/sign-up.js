// /sign-up: every way to make an account that the server offers.
import { t, tn } from "./language.js";
import { alternatives } from "./sign-in.js";
import { h, notice } from "./ui.js";

export async function render(root, ctx) {
  const entries = ctx.entries("sign-up");
  const parts = await Promise.all(entries.map(ctx.render));
  root.append(h("div", { class: "card narrow" },
    h("h1", {}, t("Create an account")),
    entries.length ? alternatives(parts) : notice("info", t("New accounts cannot be made here.")),
    h("p", { class: "foot" }, tn("You have an account? {link}", { link: h("a", { href: ctx.href(`/sign-in${location.search}`) }, t("Sign in")) }))));
  return t("Create an account");
}
