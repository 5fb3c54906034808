// The third column: one conversation.
import { say } from "./mail-text.js";
import { bytes, frame, full, line, linked, longDate, nameOf } from "./mail-body.js";

/** Fills root with the conversation that is open. */
export function renderReading(root, m) {
  const { h, ui, open } = m;
  const small = (key, act) => ui.button(say(key), { kind: "quiet small", onclick: () => m.act(act) });
  const flag = small("flag", "flag"), star = h("span", { class: "mail-mark" }, h("span", { "aria-hidden": "true" }, " ★"), h("span", { class: "hidden-text" }, ` ${say("flagged")}`));
  m.onChange = () => {
    star.hidden = !open.messages.some((x) => x.isFlagged);
    flag.textContent = say(star.hidden ? "flag" : "unflag");
  };
  m.onChange();
  const last = open.messages.length - 1;
  const title = h("h2", { tabindex: "-1" }, h("bdi", {}, line(open.subject) || say("noSubject")), star);
  root.replaceChildren(
    h("div", { class: "mail-actions", role: "group", "aria-label": say("actions") },
      small("toArchive", "archive"), small("toTrash", "trash"), small("move", "move"), flag, small("markUnread", "unread")),
    title, ...open.messages.map((x, i) => message(m, x, i === last || open.unread.includes(x))));
  return title;
}

function message(m, x, shown) {
  const { h, ui } = m;
  const body = h("div", { class: "mail-body" });
  const to = [...x.to, ...x.cc];
  const answer = (key, how) => ui.button(say(key), { kind: "quiet small", onclick: () => m.answer(how, x) });
  const element = h("details", { class: "mail-message", "data-message": x.id },
    h("summary", {}, h("h3", {}, h("bdi", {}, nameOf(x.from[0]))),
      h("time", { class: "muted", datetime: x.date }, longDate(x.date))),
    h("dl", { class: "mail-people" }, people(h, "from", x.from), people(h, "to", x.to), people(h, "cc", x.cc), people(h, "bcc", x.bcc)),
    body, files(m, x),
    h("div", { class: "mail-actions" }, answer("reply", "reply"), to.length + x.from.length > 2 && answer("replyAll", "all"), answer("forward", "forward")));
  // Only what is looked at is made: a frame costs, and is measured where it stands.
  element.addEventListener("toggle", () => { if (element.open && !body.hasChildNodes()) fill(m, x, body); });
  element.open = shown;
  return element;
}

function people(h, key, list) {
  return list.length ? h("div", {}, h("dt", {}, say(key)), h("dd", {}, list.flatMap((p, i) => [i ? ", " : "", h("bdi", {}, full(p))]))) : null;
}

function fill(m, x, body) {
  const { h, ui } = m;
  const both = x.bodyText !== undefined && x.bodyHtml !== undefined;
  let html = x.bodyHtml !== undefined;
  const place = h("div"), notes = h("div", { class: "mail-notes" });
  const swap = ui.button("", { kind: "quiet small", onclick: () => { html = !html; show(); } });
  const show = () => {
    swap.textContent = say(html ? "asText" : "asHtml");
    notes.replaceChildren(...[html && x.imagesBlocked && say("imagesBlocked"), x.bodyTruncated && say("truncated")].filter(Boolean).map((s) => h("p", { class: "hint" }, s)));
    if (html) frame(h, place, x.bodyHtml, say("bodyOf", { name: nameOf(x.from[0]) }));
    else place.replaceChildren(x.bodyText?.trim() ? h("div", { class: "mail-text", dir: "auto" }, linked(h, x.bodyText)) : h("p", { class: "muted" }, say("noText")));
  };
  body.append(notes, place, ...(both ? [swap] : []));
  show();
}

function files(m, x) {
  if (!x.attachments.length) return null;
  const { h } = m;
  return h("div", {}, h("h4", {}, say("files")), h("ul", { class: "mail-files" }, x.attachments.map((f) => {
    const name = line(f.name) || "attachment";
    return h("li", {}, h("a", { href: m.api.href(`/messages/${encodeURIComponent(x.id)}/attachments/${encodeURIComponent(f.blobId)}`), download: name,
      "aria-label": say("download", { name, size: bytes(f.size) }) }, h("bdi", {}, name)), h("span", { class: "muted" }, ` ${bytes(f.size)}`));
  })));
}
