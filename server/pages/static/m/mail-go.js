// How one gets from here to there on the mail page.
import { say } from "./mail-text.js";
import { newDraft } from "./mail-draft.js";

/** Where one is: in the address, so that "back", a reload and a bookmark work. It holds ids alone. */
export function moving(m) {
  const put = (how, depth) => {
    const query = new URLSearchParams({ ...(m.box && { box: m.box }), ...(m.boxes && { view: "boxes" }), ...(m.open && { thread: m.open.id }), ...(m.draft && { write: m.draft.key }) });
    history[how]({ depth, q: m.q }, "", `${location.pathname}?${query}`);
  };
  const push = () => put("pushState", (history.state?.depth ?? 0) + 1);
  const replace = () => put("replaceState", history.state?.depth ?? 0);
  const list = (box, q) => {
    m.forget();
    Object.assign(m, { box, q, boxes: false, open: null, draft: null, threads: [], listed: false });
    push();
    m.draw();
    m.drawReading();
    m.list.title.focus();
    return m.refresh();
  };
  const nothing = () => {
    Object.assign(m, { open: null, draft: null });
    m.draw();
    m.drawReading();
  };
  return {
    go: (box) => list(box, ""),
    search: (q) => list(m.box, q),
    showBoxes() {
      m.boxes = true;
      push();
      m.draw();
      m.root.querySelector("nav button")?.focus();
    },
    read: (id) => m.load(id, m.open || m.draft ? replace : push),
    write(draft) {
      m.forget();
      const step = m.draft ? replace : push;
      m.draft = draft ?? m.drafts.load("new") ?? newDraft(m.account);
      step();
      m.draw();
      m.drawReading();
    },
    /** Back to the list, or from a message that is written to the conversation. */
    close() {
      if (m.draft && m.drafts.load(m.draft.key)) m.say(say("kept"));
      if (history.state?.depth > 0) { history.back(); return; }
      nothing();
      replace();
      m.focusList();
    },
    /** Shows what the address says. first: nothing is shown yet. */
    async restore(first) {
      const query = new URLSearchParams(location.search), { q = "" } = history.state ?? {};
      const box = query.get("box") ?? (first === true ? null : m.box), thread = query.get("thread"), write = query.get("write");
      const other = first === true || box !== m.box || q !== m.q;
      m.forget();
      Object.assign(m, { box, q, boxes: query.get("view") === "boxes", draft: null, open: m.open?.id === thread ? m.open : null });
      if (other) Object.assign(m, { threads: [], listed: false });
      m.draw();
      m.drawReading(first !== true);
      if (first !== true && !thread && !write) m.focusList();
      if (other) await m.refresh();
      if (thread && !m.open && m.account) await m.load(thread);
      if (write && m.account) {
        m.draft = m.drafts.load(write) ?? (write === "new" ? newDraft(m.account) : null);
        m.draw();
        m.drawReading();
      }
    },
    /** One conversation on or back: the next one is opened where one is read, or gets the focus. */
    step(n) {
      const rows = m.list.rows(), at = document.activeElement?.closest?.("[data-thread]");
      const from = rows.findIndex((r) => (at ? r === at : r.dataset.thread === (m.open?.id ?? m.last)));
      const next = rows[Math.min(Math.max(from + n, 0), rows.length - 1)];
      if (!next) return;
      m.last = next.dataset.thread;
      if (m.open && !m.draft && !at) { if (m.last !== m.open.id) m.load(m.last, replace); } else next.focus();
    },
    escape() {
      if (m.draft || m.open) m.close();
      else if (m.q || document.activeElement === m.list.search) m.go(m.box);
      else if (!m.root.querySelector("nav").offsetParent) m.showBoxes();
    },
    toSearch() {
      if (!m.list.search.offsetParent) { nothing(); m.boxes = false; push(); m.draw(); }
      m.list.search.focus();
      m.list.search.select();
    },
  };
}
