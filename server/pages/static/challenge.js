// /challenge: the further step that a sign-in may ask for, shown by plugins.
import { t } from "./language.js";
import { alternatives } from "./sign-in.js";
import { h, notice } from "./ui.js";

export async function render(root, ctx) {
  const parts = await Promise.all(ctx.entries("challenge").map(ctx.render));
  root.append(h("div", { class: "card narrow" },
    h("h1", {}, t("One more step")),
    parts.length ? alternatives(parts) : notice("info", t("Your account asks for a second step that these pages do not offer.")),
    h("p", { class: "foot" }, h("a", { href: ctx.href("/sign-in") }, t("Start over")))));
  return t("One more step");
}
