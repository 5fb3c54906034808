// Messages that are being written: addresses, answers, and where they are kept meanwhile.
// They are kept for this tab alone, and only until the account is left or the tab is closed.
import { say } from "./mail-text.js";
import { full, line, longDate, textOf } from "./mail-body.js";

const prefix = "sallyport:mail:";

/** The drafts of one user in this tab. Those of anybody else are erased. */
export function createDrafts(ctx) {
  const user = ctx.session.user.id, mine = `${prefix}${user}:`;
  const keys = () => Object.keys(sessionStorage).filter((k) => k.startsWith(mine));
  for (const k of Object.keys(sessionStorage)) if (k.startsWith(prefix) && !k.startsWith(mine)) sessionStorage.removeItem(k);
  const read = (k) => {
    try { return { ...empty(), ...JSON.parse(sessionStorage.getItem(k)) }; } catch { return empty(); }
  };
  return {
    load: (key) => (sessionStorage.getItem(mine + key) === null ? null : read(mine + key)),
    /** Nothing is kept of somebody who has left meanwhile. Without room it is kept on the page alone. */
    save(draft) {
      if (ctx.session?.user.id !== user) return;
      try { sessionStorage.setItem(mine + draft.key, JSON.stringify(draft)); } catch { /* no room */ }
    },
    drop: (key) => sessionStorage.removeItem(mine + key),
    list: () => keys().map(read),
  };
}

const empty = () => ({ key: "new", to: "", cc: "", bcc: "", subject: "", body: "", attachments: [] });

const address = /^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+\.[^\s@<>,;:"()[\]\\.]+$/;

/** Reads "Name <a@example.com>, b@example.com". It throws with the part that is no address. */
export function parse(s) {
  const people = [];
  for (const m of s.matchAll(/((?:"(?:[^"\\]|\\.)*"?|[^",;])+)/g)) {
    const part = m[0].trim();
    if (!part) continue;
    const [, name, email] = /^(.*)<([^<>]*)>$/s.exec(part) ?? [null, "", part];
    if (!address.test(email.trim())) throw new Error(say("badAddress", { part: part.slice(0, 80) }));
    const plain = line(name.trim().replace(/^"(.*)"$/s, "$1").replace(/\\(.)/gs, "$1"));
    people.push(plain ? { email: email.trim(), name: plain } : { email: email.trim() });
  }
  return people;
}

/** Writes people so that parse reads the same. */
export function format(people) {
  return people.map((p) => {
    const name = line(p.name), email = line(p.email);
    return name && name !== email ? `${/[",;<>@\\]/.test(name) ? `"${name.replace(/["\\]/g, "\\$&")}"` : name} <${email}>` : email;
  }).join(", ");
}

const signed = (account) => (account.signature ? `\n\n-- \n${account.signature}` : "");
const prefixed = (word, pattern, subject) => (pattern.test(subject) ? subject : `${word}: ${subject}`).slice(0, 998);
const bodyOf = (m) => m.bodyText ?? (m.bodyHtml === undefined ? "" : textOf(m.bodyHtml));

export const newDraft = (account) => ({ ...empty(), body: signed(account) });

/** An answer to a message, or to everybody in it. What one has sent oneself is answered to whom it went. */
export function replyDraft(account, m, all) {
  const own = account.email.toLowerCase(), others = (list) => list.filter((p) => p.email && p.email.toLowerCase() !== own);
  const mine = m.from.some((p) => p.email.toLowerCase() === own);
  const first = mine ? m.to : m.replyTo.length ? m.replyTo : m.from;
  const seen = new Set();
  const once = (list) => list.filter((p) => !seen.has(p.email.toLowerCase()) && seen.add(p.email.toLowerCase()));
  const to = once(all ? others([...first, ...(mine ? [] : m.to)]) : first);
  const quoted = bodyOf(m).split("\n").map((l) => (l.startsWith(">") ? `>${l}` : `> ${l}`)).join("\n");
  return {
    ...empty(), key: `${all ? "all" : "reply"}-${m.id}`, to: format(to.length ? to : once(first)), cc: all ? format(once(others(m.cc))) : "",
    subject: prefixed("Re", /^re:/i, line(m.subject)),
    body: `\n${signed(account)}\n\n${say("wrote", { date: longDate(m.date), name: full(m.from[0]) })}\n${quoted}`,
    ...(m.messageId && { inReplyTo: m.messageId, references: [...m.references, m.messageId].slice(-50) }),
  };
}

export function forwardDraft(account, m) {
  const head = [["from", m.from], ["to", m.to], ["cc", m.cc]].filter(([, list]) => list.length).map(([k, list]) => `${say(k)}: ${list.map(full).join(", ")}`);
  head.splice(1, 0, `${say("date")}: ${longDate(m.date)}`, `${say("subject")}: ${line(m.subject)}`);
  return {
    ...empty(), key: `forward-${m.id}`, subject: prefixed("Fwd", /^fwd?:/i, line(m.subject)),
    body: `\n${signed(account)}\n\n---------- ${say("forwarded")} ----------\n${head.join("\n")}\n\n${bodyOf(m)}`,
    attachments: m.attachments.slice(0, 20).map(({ blobId, name, type, size }) => ({ blobId, name, type, size })),
  };
}
