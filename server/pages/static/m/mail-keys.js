// Keys of the mail page. They are letters, so they rest wherever letters are written.
import { help } from "./mail-boxes.js";

const acts = { e: "archive", "#": "trash", s: "flag", u: "unread", v: "move" };
const answers = { r: "reply", a: "all", f: "forward" };

export function listen(m) {
  const onKey = (event) => {
    if (!m.root.isConnected) { document.removeEventListener("keydown", onKey); return; }
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const writing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") { event.preventDefault(); m.escape(); return; }
    if (writing || !m.keysOn() || !m.account) return;
    const work = keyed(m, event);
    if (work) { event.preventDefault(); work(); }
  };
  document.addEventListener("keydown", onKey);
}

function keyed(m, event) {
  const { key } = event;
  const inList = event.target.closest?.("[data-thread]");
  if (key === "j" || (key === "ArrowDown" && inList)) return () => m.step(1);
  if (key === "k" || (key === "ArrowUp" && inList)) return () => m.step(-1);
  if (event.repeat) return null;
  if (key === "c") return () => m.write();
  if (key === "/") return () => m.toSearch();
  if (key === "?") return () => help(m);
  const id = inList?.dataset.thread ?? m.open?.id;
  if (acts[key] && id && !m.draft) return () => m.act(acts[key], id);
  if (answers[key] && id && !m.draft) return () => m.answer(answers[key], null, id);
  return null;
}
