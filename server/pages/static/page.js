// /p/<id>: a page that a plugin brings.
import { t, tn } from "./language.js";
import { h } from "./ui.js";

export async function render(root, ctx) {
  const id = location.pathname.split("/").pop();
  const entry = ctx.entries("page").find((e) => e.id === id);
  const part = entry && await ctx.render(entry);
  const title = entry && ctx.title(entry);
  if (part?.classList.contains("full") && part.querySelector("h1")) {
    root.append(part);
    return title;
  }
  root.append(h("div", { class: "card narrow" },
    h("h1", {}, entry ? title : t("Page not found")),
    part ?? h("p", {}, tn("There is nothing at this address. {link}", { link: h("a", { href: ctx.href("/") }, t("Go to the start page")) }))));
  return entry ? title : t("Page not found");
}
