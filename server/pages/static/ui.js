// Elements, fields, forms, rows and dialogs. Everything is made of nodes and text; no
import { inside, t } from "./language.js";
// function here takes markup.

let count = 0;
const id = (what) => `${what}-${++count}`;

/** An element: h("p", {class: "muted", onclick: fn}, "text", child, null). */
export function h(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes)) {
    if (v === undefined || v === null || v === false) continue;
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else e.setAttribute(k, v === true ? "" : v);
  }
  e.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

/** A line that tells how it went: kind is "error", "success" or "info". */
export function notice(kind, ...content) {
  const e = h("div", { class: `notice ${kind}` }, h("p", {}, ...content));
  if (kind === "error") e.setAttribute("role", "alert");
  return e;
}

export function button(label, { kind = "primary", type = "button", onclick, describedBy, name } = {}) {
  return h("button", { type, class: `button ${kind}`, onclick, "aria-describedby": describedBy, "aria-label": name }, label);
}

/**
 * A labelled field. check(value) answers what is wrong, or nothing. Attributes go to
 * the input. A password field gets a button that shows what was typed; the type
 * "textarea" is text of several lines.
 */
export function field({ label, name, type = "text", value = "", hint, required = true, check, ...attributes }) {
  const inputId = id(name), hintId = `${inputId}-hint`, errorId = `${inputId}-error`;
  const long = type === "textarea";
  const input = h(long ? "textarea" : "input", {
    id: inputId, name, type: long ? null : type, value: long ? null : value, "aria-required": required ? "true" : null,
    "aria-describedby": hint ? hintId : null, ...attributes,
  });
  if (long) input.value = value;
  const error = h("p", { id: errorId, class: "field-error", hidden: true });
  const element = h("div", { class: "field" },
    h("label", { for: inputId }, label),
    type === "password" ? h("div", { class: "with-button" }, input, reveal(input, label)) : input,
    hint && h("p", { id: hintId, class: "hint" }, hint), error);

  const fail = (text) => {
    error.textContent = text;
    error.hidden = !text;
    input.setAttribute("aria-invalid", text ? "true" : "false");
    const by = [text && errorId, hint && hintId].filter(Boolean).join(" ");
    by ? input.setAttribute("aria-describedby", by) : input.removeAttribute("aria-describedby");
  };
  input.addEventListener("input", () => { if (!error.hidden) fail(""); });
  const validate = () => {
    let text = "";
    if (required && !input.value) text = t("Please fill this in.");
    else if (type === "email" && !input.validity.valid) text = t("This is not an email address. One looks like name@example.com.");
    else if (input.value) text = check?.(input.value) ?? "";
    fail(text);
    return !text;
  };
  return { element, input, fail, validate, get value() { return input.value; } };
}

function reveal(input, label) {
  const b = h("button", { type: "button", class: "reveal", "aria-pressed": "false", "aria-label": t("Show {label}", { label: inside(label) }) }, t("Show"));
  b.addEventListener("click", () => {
    const show = input.type === "password";
    input.type = show ? "text" : "password";
    b.setAttribute("aria-pressed", String(show));
    b.textContent = show ? t("Hide") : t("Show");
  });
  return b;
}

/** Length rule of a new password, from the plugin's options. Lengths are UTF-16 units, as the server counts. */
export function passwordRule(options) {
  const min = options.minPasswordLength ?? 8, max = options.maxPasswordLength ?? 128;
  return {
    hint: t("At least {n} characters.", { n: min }),
    check: (v) => (v.length < min ? t("Use at least {n} characters.", { n: min }) : v.length > max ? t("Use at most {n} characters.", { n: max }) : ""),
  };
}

export function checkbox({ label, name, checked = false }) {
  const inputId = id(name);
  const input = h("input", { id: inputId, name, type: "checkbox" });
  input.checked = checked;
  return { element: h("div", { class: "check" }, input, h("label", { for: inputId }, label)), input, get value() { return input.checked; } };
}

/** Tells password managers which account a password belongs to, where no address is asked for. */
export function usernameFor(address) {
  return h("input", { type: "text", name: "username", autocomplete: "username", value: address, readonly: true, hidden: true });
}

/**
 * A form that checks its fields, shows one error at a time where it belongs, and is
 * sent once. submit(values) may throw; an error whose code is a key of where is shown
 * at that field.
 */
export function form({ label, fields, before = [], after = [], submitLabel, kind, onCancel, submit, where = {} }) {
  const alert = h("div", { role: "alert" });
  const send = button(submitLabel, { type: "submit", kind });
  const element = h("form", { novalidate: true, method: "post", "aria-label": label }, ...before, alert, fields.map((f) => f.element), ...after,
    h("div", { class: "actions" }, send, onCancel && button(t("Cancel"), { kind: "quiet", onclick: onCancel })));

  const show = (e) => {
    const f = fields.find((x) => x.input.name === where[e.code]);
    if (f?.fail) { f.fail(e.message); f.input.focus(); return; }
    alert.replaceChildren(notice("error", e.message));
    alert.firstChild.removeAttribute("role"); // the parent speaks
    alert.scrollIntoView({ block: "nearest" });
  };
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (element.getAttribute("aria-busy") === "true") return;
    alert.replaceChildren();
    const wrong = fields.filter((f) => f.validate && !f.validate());
    if (wrong.length) { wrong[0].input.focus(); return; }
    // The button stays focusable: a disabled one would drop the keyboard's place.
    element.setAttribute("aria-busy", "true");
    send.setAttribute("aria-disabled", "true");
    try {
      await submit(Object.fromEntries(fields.map((f) => [f.input.name, f.value])));
    } catch (e) {
      if (e?.name !== "ApiError") console.error(e);
      show(e?.name === "ApiError" ? e : { message: t("Something went wrong on this page. Load it again.") });
    } finally {
      element.removeAttribute("aria-busy");
      send.removeAttribute("aria-disabled");
    }
  });
  return { element, show };
}

/**
 * A row of settings: a label (if the heading does not say it), what it is now, and a
 * button that opens a form below.
 * more is another button beside it.
 * make(close) answers the form's element; close(text) closes it, shows text, and puts
 * the focus back on the button.
 */
export function row({ label, value, action, actionName, make, announce, more }) {
  const bodyId = id("row");
  const body = h("div", { id: bodyId, class: "row-body", hidden: true });
  const done = h("div", { class: "row-done" });
  const shown = h("div", { class: "row-value" }, value);
  const open = h("button", { type: "button", class: "button quiet small", "aria-expanded": "false", "aria-controls": bodyId, "aria-label": actionName }, action);
  const close = (text) => {
    body.hidden = true;
    body.replaceChildren();
    open.setAttribute("aria-expanded", "false");
    done.replaceChildren(...(text ? [notice("success", text)] : []));
    if (text) announce(text);
    open.focus();
  };
  open.addEventListener("click", () => {
    if (!body.hidden) { close(); return; }
    for (const old of document.querySelectorAll(".row-done")) old.replaceChildren();
    body.replaceChildren(make(close));
    body.hidden = false;
    open.setAttribute("aria-expanded", "true");
    body.querySelector("input:not([hidden]), button")?.focus();
  });
  const element = h("div", { class: "row" },
    h("div", { class: "row-head" }, h("div", { class: "row-text" }, label && h("div", { class: "row-label" }, label), shown), more ? h("div", { class: "row-buttons" }, open, more) : open), done, body);
  return { element, set: (v) => shown.replaceChildren(v) };
}

/** A modal dialog. make(close) answers its content; Escape closes it; the focus goes back by itself. */
export function dialog({ title, make }) {
  const titleId = id("dialog");
  const d = h("dialog", { "aria-labelledby": titleId });
  const close = () => d.close();
  d.append(h("h2", { id: titleId }, title), make(close));
  d.addEventListener("close", () => d.remove());
  document.getElementById("main").append(d);
  d.showModal();
  d.querySelector("input:not([hidden])")?.focus();
  return d;
}
