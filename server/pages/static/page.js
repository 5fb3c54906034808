// /p/<id>: a page that a plugin brings.
import { h } from "./ui.js";

export async function render(root, ctx) {
  const id = location.pathname.split("/").pop();
  const entry = ctx.entries("page").find((e) => e.id === id);
  root.append(h("div", { class: "card narrow" },
    h("h1", {}, entry ? entry.title : "Page not found"),
    entry ? await ctx.render(entry) : h("p", {}, "There is nothing at this address. ", h("a", { href: ctx.href("/") }, "Go to the start page"))));
  return entry ? entry.title : "Page not found";
}
