// Mail at /p/mail: mailboxes, conversations, and one conversation or a message that is being
// written. Here is what is shown and how one gets there; the columns are in modules beside.
import { explain, say, speak } from "./mail-text.js";
import { renderBoxes, boxOf } from "./mail-boxes.js";
import { createList } from "./mail-list.js";
import { renderReading } from "./mail-read.js";
import { renderWriting } from "./mail-write.js";
import { createDrafts, forwardDraft, replyDraft } from "./mail-draft.js";
import { act, markRead } from "./mail-act.js";
import { moving } from "./mail-go.js";
import { listen } from "./mail-keys.js";

/** The page wants the whole width, and brings its own heading. */
export const full = true;

const page = 50, most = 100; // conversations at a time; as many as the wire gives at once
const every = 60_000; // ms between looks for new mail
const noKeys = "sallyport:mail-no-keys"; // whoever switched the keys off did so for this visit

export async function render(root, ctx) {
  if (!ctx.session) { await ctx.signedOut(null, `/p/mail${location.search}`); return; }
  speak(ctx);
  await ctx.style("mail.css");
  const m = create(root, ctx);
  listen(m);
  ctx.onMove(m.restore);
  m.restore(true); // nobody waits for the mail server to see the page
  const timer = setInterval(() => {
    if (!root.isConnected) clearInterval(timer);
    else if (!document.hidden) m.refresh();
  }, every);
}

function create(root, ctx) {
  const { h } = ctx.ui;
  const m = {
    ctx, root, h, ui: ctx.ui, api: ctx.api.at("/api/v1/mail"), drafts: createDrafts(ctx),
    account: null, labels: [], threads: [], total: 0, listed: false, box: null, q: "", open: null, draft: null, boxes: false,
    sending: new Set(), // keys of drafts
  };
  const parts = layout(m);
  m.list = createList(parts.threads, m);
  Object.assign(m, showing(m, parts), loading(m), moving(m), doing(m));
  return m;
}

function layout(m) {
  const { h } = m;
  const p = {
    fault: h("div", { class: "mail-fault", role: "alert" }), said: h("div", { class: "mail-said" }),
    boxes: h("nav", { class: "mail-column mail-first", "aria-label": say("mailboxes") }),
    threads: h("section", { class: "mail-column mail-second", "aria-label": say("conversations") }),
    reading: h("div", { class: "mail-content" }), whole: null,
  };
  const back = h("button", { type: "button", class: "button quiet small", onclick: () => m.close() }, say("toList"));
  p.whole = h("div", { class: "mail", "data-view": "threads" }, p.boxes, p.threads,
    h("section", { class: "mail-column mail-third", "aria-label": say("reading") }, h("div", { class: "mail-bar mail-back" }, back), p.reading));
  m.root.append(h("h1", { class: "hidden-text" }, say("mail")), p.fault, p.said, p.whole);
  return p;
}

/** What is on the page. The focus stays on what is drawn anew. */
function showing(m, p) {
  const { h, ui } = m;
  const kept = (draw) => {
    const key = document.activeElement?.dataset?.focus;
    draw();
    if (key) p.whole.querySelector(`[data-focus="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  };
  return {
    /** Draws lists and counts anew. */
    draw: () => kept(() => {
      p.whole.dataset.view = m.open || m.draft ? "reading" : m.boxes ? "boxes" : "threads";
      renderBoxes(p.boxes, m);
      m.list.fill();
    }),
    /** Draws the third column anew, and moves the focus there. */
    drawReading(focus = true) {
      let target;
      if (m.draft) target = renderWriting(p.reading, m, m.draft);
      else if (m.open) target = renderReading(p.reading, m);
      else p.reading.replaceChildren(h("p", { class: "muted mail-none" }, say("choose")));
      if (target) p.reading.parentElement.scrollTop = 0;
      if (target?.tagName === "TEXTAREA") target.setSelectionRange(0, 0); // above what is quoted
      if (target && focus) target.focus();
    },
    /** Tells how it went; undo takes it back. */
    say(text, undo) {
      const clear = () => p.said.replaceChildren();
      p.said.replaceChildren(h("p", {}, text), undo ? ui.button(say("undo"), { kind: "quiet small", onclick: () => { clear(); m.attempt(undo); m.focusList(); } }) : "",
        ui.button(say("close"), { kind: "quiet small", onclick: () => { clear(); m.focusList(); } }));
      m.ctx.announce(text);
    },
    /** Says what failed above all that is shown, which stays; again() is what to try then. */
    fault(e, again) {
      const text = [explain(e), m.listed && again === m.refresh ? say("old") : ""].filter(Boolean).join(" ");
      p.again = again;
      if (p.fault.firstChild?.textContent === text) return; // it is said once
      p.fault.replaceChildren(h("p", {}, text), ui.button(say("again"), { kind: "quiet small", onclick: () => p.again() }),
        ui.button(say("close"), { kind: "quiet small", onclick: () => { m.noFault(); m.focusList(); } }));
    },
    /** A dialog, after which the focus is where it was, though that was drawn anew meanwhile. */
    dialog(what) {
      const key = document.activeElement?.dataset?.focus;
      ui.dialog(what).addEventListener("close", () => {
        if (document.activeElement === document.body) (key ? p.whole.querySelector(`[data-focus="${CSS.escape(key)}"]`) : null)?.focus();
      });
    },
    noFault: () => p.fault.replaceChildren(),
    focusList() {
      const row = m.list.rows().find((r) => r.dataset.thread === m.last) ?? m.list.title;
      if (p.whole.dataset.view !== "reading" || p.threads.offsetParent) row.focus();
    },
    /** In the place of all columns: there is no mailbox yet. */
    noMailbox() {
      const verified = m.ctx.session.user.emailVerified;
      p.whole.replaceChildren(h("div", { class: "card narrow" }, h("h2", {}, say("noMailbox")), h("p", {}, say(verified ? "noMailboxSoon" : "noMailboxVerify")),
        h("div", { class: "actions" }, ui.button(say("lookAgain"), { onclick: () => m.ctx.navigate("/p/mail", { replace: true }) }),
          verified ? "" : h("a", { href: m.ctx.href("/account") }, say("toAccount")))));
    },
  };
}

/** What is read from the server. An answer that comes too late is not shown. */
function loading(m) {
  let turn = 0, reading = 0;
  const threads = (offset, limit) => m.api.get("/threads", { ...(m.q ? { q: m.q } : { mailboxId: m.box }), offset, limit });
  return {
    /** Reads lists and counts again. loud tells also that nothing is new. */
    async refresh(loud = false) {
      const mine = ++turn, before = boxOf(m, "inbox")?.unreadEmails;
      try {
        m.account ??= (await m.api.get("/accounts"))[0];
        if (!m.labels.length) m.labels = await m.api.get("/labels");
        if (!m.labels.some((b) => b.id === m.box)) m.box = (boxOf(m, "inbox") ?? m.labels[0])?.id;
        const [labels, found] = await Promise.all([m.api.get("/labels"), threads(0, Math.min(most, Math.max(page, m.threads.length)))]);
        if (mine !== turn) return;
        const known = new Set(found.threads.map((x) => x.id));
        Object.assign(m, { labels, total: found.total, listed: true, threads: [...found.threads, ...m.threads.slice(most).filter((x) => !known.has(x.id))] });
        m.noFault();
        m.draw();
        if (boxOf(m, "inbox")?.unreadEmails > before) m.ctx.announce(say("newMail"));
        else if (loud === true) m.ctx.announce(say("checked"));
      } catch (e) {
        if (mine !== turn) return;
        if (e.code === "MAILBOX_NOT_FOUND") m.noMailbox();
        else m.fault(e, m.refresh);
      }
    },
    more: () => m.attempt(async () => {
      const mine = turn, at = m.threads.length, found = await threads(at, page);
      if (mine !== turn) return;
      const known = new Set(m.threads.map((x) => x.id));
      m.threads.push(...found.threads.filter((x) => !known.has(x.id)));
      m.total = found.threads.length ? found.total : m.threads.length;
      m.draw();
      m.ctx.announce(say("loadedMore", { n: m.threads.length - at }));
      m.list.rows()[Math.min(at, m.threads.length - 1)]?.focus();
    }),
    /** Reads a conversation and shows it; step says how it gets into the history. */
    async load(id, step) {
      const mine = ++reading;
      let thread;
      try {
        thread = await m.api.get(`/threads/${encodeURIComponent(id)}`);
      } catch (e) {
        if (mine === reading) m.fault(e, () => m.load(id, step));
        return;
      }
      if (mine !== reading) return;
      thread.unread = thread.messages.filter((x) => !x.isRead);
      Object.assign(m, { open: thread, draft: null, last: id });
      step?.();
      m.noFault();
      m.draw();
      m.drawReading();
      m.attempt(() => markRead(m, thread));
    },
    /** What is being read is no longer wanted. */
    forget: () => { reading++; },
  };
}

/** What is done to conversations and messages. */
function doing(m) {
  let busy = false;
  return {
    /** Does it, or says above all what failed, with a way to try again. */
    async attempt(work) {
      try {
        await work();
      } catch (e) {
        if (e?.name !== "ApiError") console.error(e);
        m.fault(e, () => { m.noFault(); m.attempt(work); });
      }
    },
    /** One act at a time: a key that is pressed twice must not hit the next conversation. */
    async act(what, id = m.open?.id, to) {
      if (busy) return;
      busy = true;
      await m.attempt(() => act(m, id, what, to));
      busy = false;
    },
    answer: (how, message, id) => m.attempt(async () => {
      const thread = message || m.open?.id === id ? m.open : await m.api.get(`/threads/${encodeURIComponent(id)}`);
      const x = message ?? thread.messages.at(-1);
      const draft = how === "forward" ? forwardDraft(m.account, x) : replyDraft(m.account, x, how === "all");
      m.write(m.drafts.load(draft.key) ?? draft);
    }),
    /** A message is sent. */
    written(draft) {
      m.say(say("wasSent"));
      if (m.draft?.key === draft.key) m.close();
      m.refresh();
    },
    changed(thread) {
      const row = m.threads.find((x) => x.id === thread.id);
      if (row) Object.assign(row, { isRead: thread.messages.every((x) => x.isRead), isFlagged: thread.messages.some((x) => x.isFlagged) });
      if (m.open === thread) m.onChange?.();
      m.refresh();
    },
    /** A conversation has left the mailbox, all of it or a part. */
    removed(thread, all) {
      const at = m.threads.findIndex((x) => x.id === thread.id);
      if (all && at >= 0 && !m.q) {
        m.threads.splice(at, 1);
        m.total--;
        m.last = (m.threads[at] ?? m.threads[at - 1])?.id;
      }
      m.draw();
      if (all && m.open?.id === thread.id) m.close();
      else m.focusList();
      m.refresh();
    },
    keysOn: () => sessionStorage.getItem(noKeys) === null,
    setKeys: (on) => (on ? sessionStorage.removeItem(noKeys) : sessionStorage.setItem(noKeys, "yes")),
  };
}
