// What is done to a conversation: the wire knows messages alone, so each is changed in turn.
import { say } from "./mail-text.js";
import { boxName, boxOf, chooseBox } from "./mail-boxes.js";

/** Changes messages one after the other; what is done is kept in order in done, whatever comes. */
async function each(m, messages, patchOf, done = []) {
  for (const x of messages) {
    const patch = patchOf(x);
    if (!patch) continue;
    await m.api.put(`/messages/${encodeURIComponent(x.id)}`, patch);
    done.push({ x, before: Object.fromEntries(Object.keys(patch).map((k) => [k, x[k]])) });
    Object.assign(x, patch);
  }
  return done;
}

/** Marks everything read that is not; nobody waits for it. */
export async function markRead(m, thread) {
  if (!thread.unread.length) return;
  await each(m, thread.unread, () => ({ isRead: true }));
  m.changed(thread);
}

/** Does act to a conversation, or says why not. It answers once all is done and shown. */
export async function act(m, id, what, to) {
  if (what === "move" && !to) { chooseBox(m, (box) => m.act("move", id, box)); return; }
  const moves = ["archive", "trash", "move"].includes(what);
  const target = moves && (to ?? boxOf(m, what) ?? await m.api.post("/labels", { role: what }));
  const thread = m.open?.id === id ? m.open : await m.api.get(`/threads/${encodeURIComponent(id)}`);
  const last = thread.messages.at(-1);
  const done = [], undo = async () => {
    await each(m, done.map((d) => d.x), (x) => done.find((d) => d.x === x).before);
    await m.refresh();
    m.say(say("undone"));
  };
  if (moves) {
    const from = source(m, thread, target);
    if (!from.length) { m.say(say("there")); return; }
    try {
      await each(m, from, (x) => ({ mailboxIds: m.q ? [target.id] : [...new Set([...x.mailboxIds.filter((b) => b !== m.box), target.id])] }), done);
    } finally {
      if (done.length) m.removed(thread, done.length === from.length);
    }
    m.say(what === "archive" ? say("archived") : what === "trash" ? say("trashed") : say("moved", { box: boxName(target) }), undo);
  } else if (what === "flag") {
    const on = !thread.messages.some((x) => x.isFlagged);
    await each(m, on ? [last] : thread.messages.filter((x) => x.isFlagged), () => ({ isFlagged: on }));
    m.changed(thread);
    m.ctx.announce(say(on ? "isFlagged" : "isUnflagged"));
  } else {
    await each(m, [last], () => ({ isRead: false }));
    m.changed(thread);
    m.ctx.announce(say("isUnread"));
    if (m.open?.id === id) m.close();
  }
}

/**
 * The messages of a conversation that are to be moved: those in the mailbox that is shown. Of
 * what a search found they are all that are not there yet, but for sent ones and drafts.
 */
function source(m, thread, target) {
  const own = [boxOf(m, "sent")?.id, boxOf(m, "drafts")?.id];
  return thread.messages.filter((x) => (m.q ? !x.mailboxIds.includes(target.id) && !x.mailboxIds.every((b) => own.includes(b)) : x.mailboxIds.includes(m.box) && m.box !== target.id));
}
