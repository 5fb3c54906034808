// What strangers wrote, made safe to show: names, dates, plain text, and HTML in a frame of its own.
import { say } from "./mail-text.js";

/**
 * One line of visible text. What turns the direction of text or cannot be seen is left out,
 * so that "gpj.exe" does not read as "exe.jpg"; the joiners U+200C and U+200D stay inside of
 * words that are not Latin, where spelling needs them.
 */
export function line(s) {
  return String(s ?? "").replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").replace(/(?![\u200c\u200d])[\p{Cf}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]/gu, "")
    .replace(/(?<![^\x00-\u024f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\u024f])/g, "").trim();
}

/** How a person is called in a list. A name that looks like an address gives way to the true one. */
export function nameOf(p) {
  const name = line(p?.name);
  return (name && !name.includes("@") ? name : line(p?.email)) || say("nobody");
}

/** A person with their address, always. */
export function full(p) {
  const name = line(p?.name), email = line(p?.email);
  return name && name !== email ? `${name} <${email}>` : email || say("nobody");
}

const lang = () => document.documentElement.lang || "en";
export const longDate = (v) => new Date(v).toLocaleString(lang(), { dateStyle: "medium", timeStyle: "short" });
export function shortDate(v) {
  const d = new Date(v), now = new Date();
  if (d.toDateString() === now.toDateString()) return d.toLocaleTimeString(lang(), { timeStyle: "short" });
  return d.toLocaleDateString(lang(), d.getFullYear() === now.getFullYear() ? { day: "numeric", month: "short" } : { dateStyle: "medium" });
}

export function bytes(n) {
  const unit = n < 1e6 ? "kilobyte" : "megabyte";
  return new Intl.NumberFormat(lang(), { style: "unit", unit, maximumFractionDigits: n < 1e6 ? 0 : 1 }).format(Math.max(n / (n < 1e6 ? 1e3 : 1e6), n ? 1 : 0));
}

/** Plain text as nodes; addresses of the web become links that tell nobody where they were. */
export function linked(h, s) {
  const parts = s.split(/(\bhttps?:\/\/[^\s<>"'`\p{Cf}]*[^\s<>"'`\p{Cf}.,;:!?)\]}])/giu);
  return parts.map((p, i) => (i % 2 ? h("a", { href: p, target: "_blank", rel: "noopener noreferrer nofollow" }, p) : p));
}

const blocks = /^(ADDRESS|BLOCKQUOTE|CENTER|D[DLT]|DIV|H[1-6]|HR|LI|[OU]L|P|PRE|TABLE|TR)$/;

/**
 * The text of HTML. It is parsed into a document that belongs to no window: nothing in it
 * runs or is fetched.
 */
export function textOf(html) {
  let out = "";
  const walk = (node, pre) => {
    if (node.nodeType === 3) { out += pre ? node.data : node.data.replace(/\s+/g, " "); return; }
    if (node.nodeType !== 1 || /^(SCRIPT|STYLE|TEMPLATE|TITLE)$/i.test(node.tagName)) return;
    const block = blocks.test(node.tagName);
    if (block && out && !out.endsWith("\n")) out += "\n";
    if (node.tagName === "BR") out += "\n";
    if (node.tagName === "LI") out += "- ";
    if (node.tagName === "IMG" && node.alt) out += `[${line(node.alt)}]`;
    for (const child of node.childNodes) walk(child, pre || node.tagName === "PRE");
    if (/^T[DH]$/.test(node.tagName)) out += " ";
    if (block && !out.endsWith("\n\n")) out += /^(P|H[1-6]|BLOCKQUOTE|TABLE)$/.test(node.tagName) ? "\n\n" : "\n";
  };
  walk(new DOMParser().parseFromString(html, "text/html").body, false);
  return out.replace(/[^\S\n]+\n/g, "\n").replace(/\n{3,}/g, "\n\n").trim();
}

// The page's policy allows this style by its hash (headers.go), and no other.
const style = "html{color-scheme:light dark}body{margin:0;padding:2px;font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','Liberation Sans',sans-serif;color:#171b22;background:#fff;overflow-wrap:anywhere}a{color:#2d55cc}p{margin:0 0 1em}blockquote{margin:0 0 1em;padding-inline-start:1em;border-inline-start:3px solid #838c9a}pre{white-space:pre-wrap}table{max-width:100%}img{max-width:100%}:focus-visible{outline:3px solid}@media(prefers-color-scheme:dark){body{color:#e9ecf1;background:#181c22}a{color:#8fb0ff}}";
const policy = "default-src 'none'; style-src 'sha256-MlJbZO+7hFGwjrcb+13/+Pef/dCWzXZBT6xZHJ61VSw='; base-uri 'none'; form-action 'none'";

/**
 * A frame with a mail's HTML. The server has cleaned it; the frame would hold it all the same:
 * no script, form or plugin runs in it, nothing is fetched, its origin is nobody's, so that it
 * has no session to read and no window to reach. A link opens a page of its own, which is
 * free of the frame's bonds, since web sites want scripts.
 */
export function frame(h, into, html, title) {
  const srcdoc = `<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">` +
    `<meta name="referrer" content="no-referrer"><base target="_blank"><style>${style}</style></head><body dir="auto">${html}</body></html>`;
  // How high it will be is a guess from its text: what is in the frame cannot be measured. What is higher is scrolled.
  const probe = h("div", { class: "mail-probe" }, textOf(html));
  into.replaceChildren(probe);
  const height = Math.round(Math.min(Math.max(probe.offsetHeight * 1.08 + 32, 64), 6000));
  into.replaceChildren(h("iframe", { class: "mail-frame", title, height, srcdoc, referrerpolicy: "no-referrer",
    sandbox: "allow-popups allow-popups-to-escape-sandbox" }));
}
