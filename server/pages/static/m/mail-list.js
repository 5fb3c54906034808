// The second column: conversations of a mailbox, or what a search has found.
import { say } from "./mail-text.js";
import { line, nameOf, shortDate, longDate } from "./mail-body.js";
import { boxName } from "./mail-boxes.js";

/** Makes the column's frame once, so that what is typed into the search stays; fill() renews the rest. */
export function createList(root, m) {
  const { h, ui } = m;
  const search = h("input", { type: "search", id: "mail-search", name: "q", maxlength: "256", placeholder: say("search"), autocomplete: "off", enterkeyhint: "search" });
  const form = h("form", { role: "search", class: "mail-search", onsubmit: (e) => { e.preventDefault(); m.search(search.value.trim()); } },
    h("label", { for: "mail-search", class: "hidden-text" }, say("search")), search, ui.button(say("searchGo"), { kind: "quiet small", type: "submit" }));
  const title = h("h2", { tabindex: "-1" }), count = h("span", { class: "muted mail-total" });
  const list = h("ul", { class: "mail-threads" }), foot = h("div", { class: "mail-foot" });
  const end = ui.button(say("searchClear"), { kind: "quiet small", onclick: () => m.go(m.box) });
  root.replaceChildren(
    h("div", { class: "mail-bar" }, h("button", { type: "button", class: "button quiet small mail-back", onclick: () => m.showBoxes() }, say("toBoxes"))),
    form, h("div", { class: "mail-head" }, title, count), list, foot);
  const more = ui.button(say("loadMore"), { kind: "quiet small", onclick: () => m.more() });

  function fill() {
    title.textContent = m.q ? say("found", { q: m.q }) : boxName(m.labels.find((b) => b.id === m.box)) || say("conversations");
    count.textContent = m.listed && m.total > m.threads.length ? say("shownOf", { shown: m.threads.length, total: m.total }) : "";
    if (document.activeElement !== search) search.value = m.q;
    list.setAttribute("aria-label", title.textContent);
    list.replaceChildren(...m.threads.map(item));
    list.hidden = !m.threads.length;
    foot.replaceChildren(...[
      !m.threads.length && h("p", { class: "muted" }, !m.listed ? say("loading") : m.q ? say("foundNothing") : say("empty")),
      m.listed && m.threads.length < m.total && m.threads.length > 0 && more, m.q && end].filter(Boolean));
  }

  const mark = (sign, text) => h("span", { class: "mail-mark" }, h("span", { "aria-hidden": "true" }, sign), h("span", { class: "hidden-text" }, ` ${text}`));

  function item(x) {
    const who = x.from.length ? x.from.map(nameOf).join(", ") : say("nobody");
    return h("li", {}, h("button", { type: "button", class: `mail-thread${x.isRead ? "" : " unread"}`, "data-thread": x.id, "data-focus": `thread-${x.id}`,
      "aria-current": m.open?.id === x.id ? "true" : null, onclick: () => m.read(x.id) },
    h("span", { class: "mail-line" }, !x.isRead && h("span", { class: "hidden-text" }, `${say("unread")}. `), h("bdi", { class: "mail-cut mail-who" }, who),
      x.messageCount > 1 && h("span", { class: "mail-number", title: say("messages", { n: x.messageCount }) }, String(x.messageCount)),
      x.hasAttachment && h("span", { class: "mail-clip" }, h("span", { class: "hidden-text" }, ` ${say("hasFiles")}`)), x.isFlagged && mark("★", say("flagged")),
      h("time", { datetime: x.lastMessageAt, title: longDate(x.lastMessageAt) }, shortDate(x.lastMessageAt))),
    h("span", { class: "mail-cut mail-subject" }, h("bdi", {}, line(x.subject) || say("noSubject"))),
    h("span", { class: "mail-cut mail-snippet" }, h("bdi", {}, line(x.snippet)))));
  }

  return { fill, title, search, rows: () => [...list.querySelectorAll("[data-thread]")] };
}
