// The first column: mailboxes, messages not sent yet, settings. And the dialogs that it opens.
import { explain, say } from "./mail-text.js";
import { line } from "./mail-body.js";

const roles = ["inbox", "drafts", "sent", "archive", "junk", "trash"];
const uncounted = ["drafts", "sent", "trash"]; // what is unread there waits for nobody

export const boxName = (b) => (b && roles.includes(b.role) ? say(b.role) : line(b?.name));
export const boxOf = (m, role) => m.labels.find((b) => b.role === role);

/** Labels in the order of the list: roles first, children below their parents. */
function ordered(labels) {
  const rank = (b) => (roles.includes(b.role) ? roles.indexOf(b.role) : roles.length);
  const out = [], left = new Set(labels);
  const add = (parent, depth) => {
    const here = labels.filter((b) => left.has(b) && (parent ? b.parentId === parent.id : !labels.some((p) => p.id === b.parentId)));
    here.sort((a, b) => rank(a) - rank(b) || a.sortOrder - b.sortOrder || boxName(a).localeCompare(boxName(b)));
    for (const b of here) {
      left.delete(b);
      out.push({ box: b, depth });
      add(b, Math.min(depth + 1, 3));
    }
  };
  add(null, 0);
  for (const box of left) out.push({ box, depth: 0 }); // a circle of parents
  return out;
}

export function renderBoxes(root, m) {
  const { h, ui } = m;
  const item = ({ box, depth }) => {
    const count = uncounted.includes(box.role) ? 0 : box.unreadEmails;
    return h("li", {}, h("button", { type: "button", class: `mail-box deep-${depth}`, "data-focus": `box-${box.id}`,
      "aria-current": m.box === box.id && !m.q ? "true" : null, onclick: () => m.go(box.id) },
    h("span", { class: "mail-cut" }, h("bdi", {}, boxName(box))), count > 0 && h("span", { class: "mail-count" }, String(count), h("span", { class: "hidden-text" }, ` ${say("unread")}`))));
  };
  const drafts = m.drafts.list().map((d) => h("li", {}, h("button", { type: "button", class: "mail-box", "data-focus": `draft-${d.key}`,
    "aria-label": say("unsentOne", { subject: line(d.subject) || say("noSubject") }), "aria-current": m.draft?.key === d.key ? "true" : null, onclick: () => m.write(d) },
  h("span", { class: "mail-cut" }, line(d.subject) || say("noSubject")))));
  root.replaceChildren(
    ui.button(say("compose"), { onclick: () => m.write() }),
    h("ul", { class: "mail-boxes" }, ordered(m.labels).map(item)),
    drafts.length ? h("div", {}, h("h2", {}, say("unsent")), h("ul", { class: "mail-boxes" }, drafts)) : "",
    h("div", { class: "mail-tools" },
      ui.button(say("check"), { kind: "quiet small", onclick: () => m.refresh(true) }),
      ui.button(say("settings"), { kind: "quiet small", onclick: () => settings(m) }),
      ui.button(say("keys"), { kind: "quiet small", onclick: () => help(m) })));
}

function settings(m) {
  const { ui } = m;
  m.dialog({ title: say("settings"), make: (close) => ui.form({
    label: say("settings"), submitLabel: say("save"), onCancel: close,
    fields: [
      ui.field({ label: say("displayName"), name: "displayName", value: m.account.displayName, required: false, maxlength: "100", autocomplete: "name" }),
      ui.field({ label: say("signature"), name: "signature", type: "textarea", rows: "5", value: m.account.signature, required: false, maxlength: "10000", dir: "auto" }),
    ],
    async submit(values) {
      const body = { displayName: line(values.displayName), signature: values.signature.trim() };
      try {
        m.account = await m.api.put(`/accounts/${encodeURIComponent(m.account.id)}`, body);
      } catch (e) { throw Object.assign(e, { message: explain(e) }); }
      close();
      m.say(say("saved"));
    },
  }).element });
}

/** Asks where to; chosen(box) is called with the answer. */
export function chooseBox(m, chosen) {
  const { h, ui } = m;
  m.dialog({ title: say("moveTo"), make: (close) => h("div", { class: "entry" },
    h("ul", { class: "mail-boxes" }, ordered(m.labels).filter(({ box }) => box.id !== m.box && box.role !== "drafts").map(({ box, depth }) => h("li", {},
      h("button", { type: "button", class: `mail-box deep-${depth}`, onclick: () => { close(); chosen(box); } }, h("span", { class: "mail-cut" }, h("bdi", {}, boxName(box))))))),
    h("div", { class: "actions" }, ui.button(say("cancel"), { kind: "quiet", onclick: close }))) });
}

const keys = [["j ↓", "keyNext"], ["k ↑", "keyPrevious"], ["Enter", "keyOpen"], ["r", "keyReply"], ["a", "keyReplyAll"], ["f", "keyForward"], ["c", "keyCompose"],
  ["e", "keyArchive"], ["#", "keyTrash"], ["s", "keyFlag"], ["u", "keyUnread"], ["v", "keyMove"], ["/", "keySearch"], ["?", "keyHelp"], ["Esc", "keyBack"]];

/** The keys, and a switch for those who press them without meaning to (WCAG 2.2, 2.1.4). */
export function help(m) {
  const { h, ui } = m;
  const on = ui.checkbox({ label: say("keysOn"), name: "keys", checked: m.keysOn() });
  on.input.addEventListener("change", () => m.setKeys(on.value));
  m.dialog({ title: say("keys"), make: (close) => h("div", { class: "entry" }, h("p", { class: "hint" }, say("keysHint")), on.element,
    h("table", { class: "mail-keys" }, h("thead", { class: "hidden-text" }, h("tr", {}, h("th", {}, say("key")), h("th", {}, say("does")))),
      h("tbody", {}, keys.map(([key, what]) => h("tr", {}, h("td", {}, key.split(" ").map((k) => h("kbd", {}, k))), h("td", {}, say(what)))))),
    h("div", { class: "actions" }, ui.button(say("close"), { onclick: close }))) });
}
