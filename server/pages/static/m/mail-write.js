// The form for a message.
import { explain, say } from "./mail-text.js";
import { bytes, full, line } from "./mail-body.js";
import { parse } from "./mail-draft.js";

const maxFiles = 20, maxPeople = 100;

/** Fills root with the form for a draft. */
export function renderWriting(root, m, draft) {
  const { h, ui } = m;
  const keep = () => m.drafts.save(draft);
  const fields = createFields(m, draft, keep);
  const files = createFiles(m, draft, keep);
  const more = h("button", { type: "button", class: "button quiet small", onclick: () => {
    more.hidden = true;
    fields.cc.element.hidden = fields.bcc.element.hidden = false;
    fields.cc.input.focus();
  } }, say("ccBcc"));
  more.hidden = Boolean(draft.cc || draft.bcc);
  fields.cc.element.hidden = fields.bcc.element.hidden = !more.hidden;
  const form = ui.form({
    label: say("writing"), fields: [fields.to, fields.cc, fields.bcc, fields.subject, fields.body], submitLabel: say("send"),
    before: [h("div", { class: "mail-from" }, h("p", { class: "muted" }, `${say("from")}: ${full({ name: m.account.displayName, email: m.account.email })}`), more)],
    after: [files.element], where: { MAIL_RECIPIENTS_INVALID: "to" },
    async submit() {
      const held = files.busy() ? "wait" : m.sending.has(draft.key) ? "sending" : "";
      if (held) throw Object.assign(new Error(say(held)), { name: "ApiError" });
      m.sending.add(draft.key);
      m.ctx.announce(say("sending"));
      keep(); // whatever happens now, the message is not lost
      try {
        await m.api.post("/send", message(draft), { wait: 60_000 });
      } catch (e) {
        e.message = ["TIMEOUT", "OFFLINE"].includes(e.code) ? say("sendUnknown") : explain(e);
        if (!form.element.isConnected) m.fault(e, () => m.write(draft)); // it was left meanwhile
        throw e;
      } finally {
        m.sending.delete(draft.key);
      }
      m.drafts.drop(draft.key);
      m.written(draft);
    },
  });
  const discard = ui.button(say("discard"), { kind: "quiet", onclick: () => {
    m.drafts.drop(draft.key);
    m.say(say("discarded"), () => { keep(); m.write(draft); });
    m.close();
  } });
  form.element.querySelector(".actions:last-child").append(discard);
  root.replaceChildren(h("h2", { tabindex: "-1" }, say("writing")), form.element);
  return draft.to ? fields.body.input : fields.to.input;
}

function message(draft) {
  const optional = (list) => (list.length ? list : undefined);
  return {
    to: parse(draft.to), cc: optional(parse(draft.cc)), bcc: optional(parse(draft.bcc)), subject: line(draft.subject), body: draft.body,
    inReplyTo: draft.inReplyTo, references: draft.references,
    attachments: optional(draft.attachments.map(({ blobId, name, type }) => ({ blobId, name, type }))),
  };
}

function createFields(m, draft, keep) {
  const { field } = m.ui;
  const people = (v) => {
    try { return parse(v).length > maxPeople ? say("tooMany") : ""; } catch (e) { return e.message; }
  };
  const make = (name, more) => {
    const f = field({ label: say(name), name, value: draft[name], required: false, ...more });
    f.input.addEventListener("input", () => { draft[name] = f.value; keep(); });
    f.input.addEventListener("change", () => m.draw()); // the list of what is not sent yet
    return f;
  };
  const filled = (v) => (v.trim() ? "" : say("fillIn"));
  const address = { check: people, autocomplete: "off", autocapitalize: "off", spellcheck: "false", inputmode: "email" };
  return {
    to: make("to", { ...address, required: true, hint: say("addressHint"), check: (v) => people(v) || (parse(v).length ? "" : say("fillIn")) }),
    cc: make("cc", address), bcc: make("bcc", address),
    subject: make("subject", { required: true, check: filled, maxlength: "998", autocomplete: "off" }),
    body: make("body", { type: "textarea", required: true, check: filled, rows: "14", dir: "auto" }),
  };
}

/** The list of attachments, and a button that adds to it. Files are sent to the server one after the other. */
function createFiles(m, draft, keep) {
  const { h, ui } = m;
  const list = h("ul", { class: "mail-files" }), alert = h("div", { role: "alert" }), state = h("p", { class: "muted", hidden: true });
  const picker = h("input", { type: "file", multiple: true, hidden: true });
  const add = ui.button(say("attach"), { kind: "quiet small", onclick: () => picker.click() });
  let running = 0;
  const show = () => list.replaceChildren(...draft.attachments.map((f, i) => h("li", {}, h("span", { class: "break" }, h("bdi", {}, line(f.name)), ` (${bytes(f.size)})`),
    ui.button(say("remove"), { kind: "quiet small", name: say("detach", { name: line(f.name) }), onclick: () => {
      draft.attachments.splice(i, 1);
      keep();
      show();
      m.ctx.announce(say("detached", { name: line(f.name) }));
      add.focus();
    } }))));
  const upload = async (file) => {
    state.textContent = say("attaching", { name: line(file.name) });
    const type = /^[a-z0-9][a-z0-9.+-]*\/[a-z0-9][a-z0-9.+-]*$/.test(file.type) ? file.type : "application/octet-stream";
    const name = line(file.name).slice(0, 255) || "attachment";
    const { blobId, size } = await m.api.post("/attachments", { name, type, content: await base64(file) }, { wait: 120_000 });
    draft.attachments.push({ blobId, name, type, size });
    keep();
    show();
    m.ctx.announce(say("attached", { name }));
  };
  picker.addEventListener("change", async () => {
    const chosen = [...picker.files];
    picker.value = "";
    alert.replaceChildren();
    running++;
    state.hidden = false;
    try {
      for (const file of chosen) {
        if (draft.attachments.length >= maxFiles) throw new Error(say("tooManyFiles"));
        if (!file.size) throw new Error(say("emptyFile", { name: line(file.name) }));
        await upload(file);
      }
    } catch (e) {
      const said = ui.notice("error", explain(e));
      said.removeAttribute("role"); // the parent speaks
      alert.replaceChildren(said);
    } finally {
      running--;
      state.hidden = running === 0;
    }
  });
  show();
  return { element: h("div", { class: "mail-attach" }, list, alert, state, h("div", {}, picker, add)), busy: () => running > 0 };
}

async function base64(file) {
  const url = await new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => fail(reader.error);
    reader.readAsDataURL(file);
  });
  return url.slice(url.indexOf(",") + 1);
}
