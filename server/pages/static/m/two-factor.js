// Two-step sign-in: enrolling and switching off, and the further step of a sign-in.
import { encode } from "./qr.js";

export function render(root, ctx) {
  return { account, challenge }[ctx.entry.kind](root, ctx);
}

const confirmation = (ctx) => ctx.ui.field({ label: ctx.t("Current password"), name: "password", type: "password", autocomplete: "current-password" });

const codeField = (ctx, digits, extra = {}) => ctx.ui.field({
  label: ctx.t("Code"), name: "code", inputmode: "numeric", autocomplete: "one-time-code", spellcheck: "false", maxlength: String(digits),
  check: (v) => (new RegExp(`^[0-9]{${digits}}$`).test(v) ? "" : ctx.t("A code has {n} digits.", { n: digits })), ...extra,
});

// ---- the account page ----

async function account(root, ctx) {
  const { h, row } = ctx.ui;
  const rows = [];
  const add = (label, value, action, actionName, make) => rows.push(row({
    label, value: h("span", { class: "muted" }, value), action, actionName, announce: ctx.announce, make,
  }).element);
  const again = async (close, text) => {
    await ctx.refreshSession();
    close(text);
    root.replaceChildren();
    await account(root, ctx);
    const heading = root.closest("section")?.querySelector("h2"); // the button is gone
    if (heading) { heading.tabIndex = -1; heading.focus(); }
    if (text) root.prepend(ctx.ui.notice("success", text));
  };
  const password = await needsPassword(ctx);
  const on = ctx.session.user.twoFactorEnabled === true;
  if (on) {
    rows.push(h("p", {}, ctx.tn("{state} After signing in, you are asked for a code.", { state: h("span", { class: "badge good" }, ctx.t("On")) })));
    add(ctx.t("Backup codes"), ctx.t("Make new ones if you have lost them. The old ones stop working."), ctx.t("Renew"), ctx.t("Renew the backup codes"),
      (close) => renew(ctx, password, close));
    if (ctx.options.otp) add(ctx.t("Authenticator app"), ctx.t("Add one if you use codes by mail alone."), ctx.t("Set up"), ctx.t("Set up an authenticator app"),
      (close) => setUp(ctx, password, close, again));
    add(ctx.t("Turn off"), ctx.t("Then the first step is enough to sign in."), ctx.t("Turn off"), ctx.t("Turn off two-step sign-in"), (close) => turnOff(ctx, password, close, again));
  } else {
    rows.push(h("p", {}, ctx.tn("{state} With it, somebody who learns your password still cannot sign in.", { state: h("span", { class: "badge" }, ctx.t("Off")) })));
    if (ctx.options.totp !== false) add(ctx.t("Authenticator app"), ctx.t("An app on your phone shows a new code every 30 seconds."), ctx.t("Set up"), ctx.t("Set up an authenticator app"),
      (close) => setUp(ctx, password, close, again));
    if (ctx.options.otp) add(ctx.t("Codes by mail"), ctx.t("We send a code to your address each time."), ctx.t("Turn on"), ctx.t("Turn on codes by mail"),
      (close) => byMail(ctx, password, close, again));
  }
  root.append(...rows);
}

/** Whether changes have to be confirmed with the password: who has none shows a fresh session. */
async function needsPassword(ctx) {
  if (!ctx.options.allowPasswordless) return true;
  const accounts = await ctx.api.get("/list-accounts");
  return accounts.some((a) => a.providerId === "credential");
}

/** A form that asks for the password, or only for a press where there is none. */
function confirmForm(ctx, password, { label, text, submitLabel, kind, close, submit }) {
  const { h, form, usernameFor } = ctx.ui;
  return form({
    label, fields: password ? [confirmation(ctx)] : [], submitLabel, kind, onCancel: () => close(),
    before: [usernameFor(ctx.session.user.email), text && h("p", { class: "hint" }, text)].filter(Boolean),
    where: { INVALID_PASSWORD: "password", PASSWORD_TOO_LONG: "password" }, submit,
  }).element;
}

function setUp(ctx, password, close, again) {
  const { h } = ctx.ui;
  const box = h("div", { class: "steps" });
  box.append(confirmForm(ctx, password, {
    label: ctx.t("Set up an authenticator app"), submitLabel: ctx.t("Continue"), close,
    submit: async (values) => {
      const made = await ctx.api.post("/two-factor/enable", { ...values, method: "totp" });
      box.replaceChildren(...scan(ctx, made, close, async () => {
        await ctx.refreshSession();
        box.replaceChildren(...backupCodes(ctx, made.backupCodes, () => again(close, ctx.t("Two-step sign-in is on."))));
        focusFirst(box);
      }));
      focusFirst(box);
    },
  }));
  return box;
}

/** The QR code, the key as text, and the field for the first code. */
function scan(ctx, made, close, done) {
  const { h, form } = ctx.ui;
  const key = new URL(made.totpURI).searchParams.get("secret") ?? "";
  const code = codeField(ctx, ctx.options.totpDigits ?? 6, { label: ctx.t("Code from the app") });
  return [
    h("h3", { tabindex: "-1" }, ctx.t("Scan this with your authenticator app")),
    drawing(ctx, made.totpURI),
    h("details", { class: "secret" }, h("summary", {}, ctx.t("Cannot scan it?")),
      h("p", { class: "hint" }, ctx.t("Enter this key in the app:")), h("p", {}, h("code", {}, key.replace(/(.{4})(?=.)/g, "$1 ")))),
    form({
      label: ctx.t("Confirm the authenticator app"), fields: [code], submitLabel: ctx.t("Turn on"), onCancel: () => close(), where: { INVALID_CODE: "code" },
      submit: async (values) => { await ctx.api.post("/two-factor/verify-totp", values); await done(); },
    }).element,
  ];
}

/** A QR code, dark on light whatever the colours of the page, with the quiet zone of the standard. */
function drawing(ctx, text) {
  const { data, size } = encode(text, { ecc: "M", border: 4 });
  const dot = 8; // pixels of one module: sharp on dense screens too
  const canvas = square(ctx, size * dot);
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#000";
  data.forEach((line, y) => line.forEach((dark, x) => { if (dark) pen.fillRect(x * dot, y * dot, dot, dot); }));
  return canvas;
}

function square(ctx, side) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  canvas.className = "qr";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", ctx.t("QR code for your authenticator app"));
  return canvas;
}

/** Shows the codes once, to be kept elsewhere. */
function backupCodes(ctx, codes, done) {
  const { h, button } = ctx.ui;
  const text = `${codes.join("\n")}\n`;
  const state = h("p", { class: "hint", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      state.textContent = ctx.t("Copied.");
    } catch {
      state.textContent = ctx.t("The browser does not allow copying here. Write them down, or download them.");
    }
  };
  const download = () => {
    const url = URL.createObjectURL(new Blob([`${ctx.t("Backup codes for {app}, {email}", { app: ctx.appName, email: ctx.session.user.email })}\n${ctx.t("Each works once.")}\n\n${text}`], { type: "text/plain" }));
    h("a", { href: url, download: "backup-codes.txt" }).click();
    URL.revokeObjectURL(url);
    state.textContent = ctx.t("Saved as {file}.", { file: "backup-codes.txt" });
  };
  return [
    h("h3", { tabindex: "-1" }, ctx.t("Your backup codes")),
    h("p", {}, ctx.t("If you lose your phone, each of these gets you in once. They are shown only now: keep them where you keep your passwords.")),
    h("ul", { class: "codes" }, codes.map((c) => h("li", {}, h("code", {}, c)))),
    h("div", { class: "actions" }, button(ctx.t("Copy"), { kind: "quiet", name: ctx.t("Copy the backup codes"), onclick: copy }),
      button(ctx.t("Download"), { kind: "quiet", name: ctx.t("Download the backup codes"), onclick: download })),
    state,
    h("div", { class: "actions" }, button(ctx.t("I have kept them"), { onclick: done })),
  ];
}

function renew(ctx, password, close) {
  const box = ctx.ui.h("div", { class: "steps" });
  box.append(confirmForm(ctx, password, {
    label: ctx.t("Renew the backup codes"), submitLabel: ctx.t("Make new codes"), close,
    submit: async (values) => {
      const { backupCodes: codes } = await ctx.api.post("/two-factor/generate-backup-codes", values);
      box.replaceChildren(...backupCodes(ctx, codes, () => close(ctx.t("Your backup codes are new. The old ones do not work any more."))));
      focusFirst(box);
    },
  }));
  return box;
}

function byMail(ctx, password, close, again) {
  return confirmForm(ctx, password, {
    label: ctx.t("Turn on codes by mail"), text: ctx.t("The codes go to {email}. There are no backup codes: if you lose this mailbox, you are locked out.", { email: ctx.session.user.email }),
    submitLabel: ctx.t("Turn on"), close,
    submit: async (values) => {
      await ctx.api.post("/two-factor/enable", { ...values, method: "otp" });
      await again(close, ctx.t("Two-step sign-in is on."));
    },
  });
}

function turnOff(ctx, password, close, again) {
  return confirmForm(ctx, password, {
    label: ctx.t("Turn off two-step sign-in"), submitLabel: ctx.t("Turn off"), kind: "danger", close,
    submit: async (values) => {
      await ctx.api.post("/two-factor/disable", values);
      await again(close, ctx.t("Two-step sign-in is off."));
    },
  });
}

const focusFirst = (box) => box.querySelector("h3, input:not([hidden])")?.focus();

// ---- the further step of a sign-in ----

function challenge(root, ctx) {
  const { h, button } = ctx.ui;
  const given = ctx.data.methods ?? ctx.query.get("twoFactorMethods")?.split(",") ?? ["totp", "otp"];
  const ways = {
    totp: given.includes("totp") && { link: ctx.t("Use the authenticator app"), show: () => enter(ctx, "totp") },
    otp: given.includes("otp") && ctx.options.otp !== false && { link: ctx.t("Get a code by mail"), show: () => mailed(ctx) },
    backup: given.includes("totp") && { link: ctx.t("Use a backup code"), show: () => enter(ctx, "backup") },
  };
  const offered = Object.keys(ways).filter((k) => ways[k]);
  if (!offered.length) {
    root.append(ctx.ui.notice("info", ctx.t("There is no second step that you can show here. Sign in another way.")));
    return;
  }
  const show = (way, focus) => {
    root.replaceChildren(...ways[way].show(),
      ...(offered.length > 1 ? [h("div", { class: "actions" }, offered.filter((k) => k !== way).map((k) => button(ways[k].link, { kind: "quiet", onclick: () => show(k, true) })))] : []));
    if (focus) root.querySelector("input:not([hidden]), button")?.focus();
  };
  show(offered[0], false);
}

const lead = (ctx) => ({
  totp: ctx.t("Enter the code that your authenticator app shows."),
  otp: ctx.t("Enter the code that we have sent to your email address."),
  backup: ctx.t("Enter one of the backup codes that you kept when you set this up. Each works once."),
});
const paths = { totp: "/two-factor/verify-totp", otp: "/two-factor/verify-otp", backup: "/two-factor/verify-backup-code" };

function enter(ctx, way) {
  const { h, field, form, checkbox } = ctx.ui;
  const digits = (way === "otp" ? ctx.options.otpDigits : ctx.options.totpDigits) ?? 6;
  const code = way === "backup"
    ? field({ label: ctx.t("Backup code"), name: "code", autocomplete: "off", spellcheck: "false", autocapitalize: "none" })
    : codeField(ctx, digits);
  const days = Math.round((ctx.options.trustDeviceMaxAge ?? 2592000) / 86400);
  const trust = checkbox({ label: days > 1 ? ctx.t("Do not ask on this device for {n} days", { n: days }) : ctx.t("Do not ask on this device for a while"), name: "trust" });
  return [form({
    label: ctx.t("Second step"), fields: [code], before: [h("p", { class: "lead" }, lead(ctx)[way])], after: [trust.element], submitLabel: ctx.t("Sign in"),
    where: { INVALID_CODE: "code", INVALID_BACKUP_CODE: "code" },
    async submit(values) {
      let answer;
      try {
        answer = await ctx.api.post(paths[way], { code: values.code.trim(), trustDevice: trust.value });
      } catch (e) {
        if (e.code !== "INVALID_TWO_FACTOR_COOKIE") throw e;
        await ctx.navigate("/sign-in", { notice: e.message, replace: true });
        return;
      }
      // Where a sign-in without these pages wanted to go, as the server has checked it.
      if (answer?.url && !ctx.query.get("next")) location.assign(answer.url);
      else await ctx.signedIn(answer);
    },
  }).element];
}

/** A code by mail is asked for before there is anything to enter. */
function mailed(ctx) {
  const { h, form } = ctx.ui;
  const box = h("div", { class: "steps" });
  const ask = form({
    label: ctx.t("Get a code by mail"), fields: [], before: [h("p", { class: "lead" }, ctx.t("We send a code to the email address of your account."))], submitLabel: ctx.t("Send the code"),
    async submit() {
      await ctx.api.post("/two-factor/send-otp");
      const again = ctx.ui.button(ctx.t("Send another code"), { kind: "quiet", onclick: async () => {
        try {
          await ctx.api.post("/two-factor/send-otp");
          ctx.announce(ctx.t("Another code is on its way. The one before does not work any more."));
        } catch (e) {
          ctx.announce(e.message);
        }
      } });
      box.replaceChildren(...enter(ctx, "otp"), h("div", { class: "actions" }, again));
      ctx.announce(ctx.t("A code is on its way."));
      box.querySelector("input:not([hidden])")?.focus();
    },
  }).element;
  box.append(ask);
  return [box];
}
