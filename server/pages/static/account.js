// /account: one section for each entry.
import { t } from "./language.js";
import { h } from "./ui.js";

export async function render(root, ctx) {
  const entries = ctx.entries("account");
  const parts = await Promise.all(entries.map(ctx.render));
  root.append(h("div", { class: "wide" },
    h("h1", {}, t("Your account")),
    entries.map((entry, i) => h("section", { class: "card", "aria-labelledby": `section-${entry.id}` },
      h("h2", { id: `section-${entry.id}` }, ctx.title(entry)), parts[i]))));
  return ctx.session ? t("Your account") : undefined;
}
