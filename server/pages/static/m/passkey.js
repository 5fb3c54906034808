// Passkeys: signing in, from the button or from the field for the address, and the list
// of one's own.

export function render(root, ctx) {
  return ({ "sign-in": signIn, "account": manage })[ctx.entry.kind](root, ctx);
}

/** Whether this browser can do it at all: not outside of secure contexts (WebAuthn Level 3, section 5). */
const able = () => Boolean(globalThis.PublicKeyCredential && navigator.credentials?.get);

// One ceremony at a time: a browser refuses the second. What waits in the form gives way.
let waiting = null;

function begin() {
  waiting?.abort();
  waiting = new AbortController();
  return waiting.signal;
}

async function signIn(root, ctx) {
  const { h, notice, button } = ctx.ui;
  if (!able()) return;
  const capability = await ctx.api.get("/passkey/capability");
  if (!capability.available) return;
  const alert = h("div", { role: "alert" });
  const show = (e) => { alert.replaceChildren(notice("error", explain(ctx, e))); alert.firstChild.removeAttribute("role"); };
  const go = button(ctx.t("Sign in with a passkey"), { kind: "quiet", onclick: async () => {
    alert.replaceChildren();
    try {
      await finish(ctx, await ask(ctx, { signal: begin() }));
    } catch (e) {
      show(e);
      suggest(ctx, capability, root, show);
    }
  } });
  root.append(alert, h("div", { class: "actions" }, go));
  suggest(ctx, capability, root, show);
}

/** Offers passkeys in the field for the address, where the browser can (conditional mediation). */
async function suggest(ctx, capability, root, show) {
  if (!capability.conditional || !await globalThis.PublicKeyCredential.isConditionalMediationAvailable?.()) return;
  const signal = begin();
  // Another page has no field to offer them in; a challenge left open there would be in the way.
  let shown = root.isConnected;
  const gone = new MutationObserver(() => {
    if (shown && !root.isConnected) waiting?.abort();
    shown ||= root.isConnected;
  });
  gone.observe(document.body, { childList: true, subtree: true });
  try {
    await finish(ctx, await ask(ctx, { signal, mediation: "conditional" }));
  } catch (e) {
    if (e?.name === "ApiError") show(e); // all else was never asked for
  } finally {
    gone.disconnect();
  }
}

async function ask(ctx, how) {
  const options = await ctx.api.get("/passkey/generate-authenticate-options");
  const credential = await navigator.credentials.get({ ...how, publicKey: {
    ...options, challenge: bytes(options.challenge), allowCredentials: options.allowCredentials?.map(descriptor),
  } });
  const { response } = credential;
  return { ...common(credential), response: {
    clientDataJSON: text(response.clientDataJSON), authenticatorData: text(response.authenticatorData),
    signature: text(response.signature), ...(response.userHandle && { userHandle: text(response.userHandle) }),
  } };
}

async function finish(ctx, response) {
  await ctx.signedIn(await ctx.api.post("/passkey/verify-authentication", { response }));
}

async function manage(root, ctx) {
  const { h, notice, button, row, field, form, dialog } = ctx.ui;
  const list = await ctx.api.get("/passkey/list-user-passkeys");
  const refill = async (said) => {
    root.replaceChildren();
    await manage(root, ctx);
    ctx.announce(said);
    const heading = root.closest("section")?.querySelector("h2"); // what had the focus is gone
    if (heading) { heading.tabIndex = -1; heading.focus(); }
  };
  const rename = (p) => (close) => form({
    label: ctx.t("Rename the passkey"), submitLabel: ctx.t("Save the name"), onCancel: () => close(),
    fields: [field({ label: ctx.t("Name of the passkey"), name: "name", value: p.name ?? "", check: (v) => (v.trim() ? "" : ctx.t("Please fill this in.")) })],
    async submit(values) {
      await ctx.api.post("/passkey/update-passkey", { id: p.id, name: values.name });
      await refill(ctx.t("The passkey has a new name."));
    },
  }).element;
  const remove = (p) => dialog({ title: ctx.t("Delete “{name}”?", { name: nameOf(ctx, p) }), make: (close) => h("div", {},
    h("p", {}, ctx.t("You cannot sign in with it any more. Your device may go on offering it: delete it there too.")),
    form({ label: ctx.t("Delete the passkey"), fields: [], submitLabel: ctx.t("Delete the passkey"), kind: "danger", onCancel: close, async submit() {
      await again(ctx, () => ctx.api.post("/passkey/delete-passkey", { id: p.id }));
      close();
      await refill(ctx.t("The passkey is deleted."));
    } }).element) });
  const items = list.map((p) => h("li", {}, row({
    label: nameOf(ctx, p), value: h("span", { class: "hint" }, [p.createdAt && ctx.t("since {date}", { date: ctx.date(p.createdAt, { dateStyle: "medium" }) }), p.backedUp ? ctx.t("synced between your devices") : ctx.t("on one device")].filter(Boolean).join(" · ")),
    action: ctx.t("Rename"), actionName: ctx.t("Rename {name}", { name: nameOf(ctx, p) }), announce: ctx.announce, make: rename(p),
    more: button(ctx.t("Delete"), { kind: "quiet small", name: ctx.t("Delete {name}", { name: nameOf(ctx, p) }), onclick: () => remove(p) }),
  }).element));
  const alert = h("div", { role: "alert" });
  const add = button(ctx.t("Add a passkey"), { kind: list.length ? "quiet" : "primary", onclick: async () => {
    alert.replaceChildren();
    try {
      await again(ctx, () => register(ctx));
      await refill(ctx.t("The passkey is added."));
    } catch (e) {
      alert.replaceChildren(notice("error", explain(ctx, e)));
      alert.firstChild.removeAttribute("role");
    }
  } });
  root.append(...(list.length ? [h("ul", { class: "list" }, items)] : [h("p", { class: "muted" }, ctx.t("Sign in with your fingerprint, your face or your device's lock, without a password."))]),
    alert, able() ? h("div", { class: "actions" }, add) : notice("info", ctx.t("This browser cannot make passkeys here.")));
}

async function register(ctx) {
  const options = await ctx.api.get("/passkey/generate-register-options");
  const credential = await navigator.credentials.create({ signal: begin(), publicKey: {
    ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: options.excludeCredentials.map(descriptor),
  } });
  const { response } = credential;
  const transports = response.getTransports?.() ?? [];
  await ctx.api.post("/passkey/verify-registration", { name: suggestName(ctx, transports), response: { ...common(credential), response: {
    clientDataJSON: text(response.clientDataJSON), attestationObject: text(response.attestationObject), transports,
  } } });
}

/** Does what needs a fresh session, or sends the visitor to get one. */
async function again(ctx, work) {
  try {
    return await work();
  } catch (e) {
    if (e.code !== "SESSION_NOT_FRESH") throw e;
    await ctx.navigate(`/sign-in?next=${encodeURIComponent(ctx.href("/account"))}`, { notice: ctx.t("Sign in again to change your passkeys: it has been a while since you did.") });
    return null;
  }
}

function suggestName(ctx, transports) {
  const agent = navigator.userAgent;
  const system = [[/iPhone|iPad/, ctx.t("iPhone or iPad")], [/Android/, "Android"], [/Windows/, "Windows"], [/CrOS/, "ChromeOS"], [/Mac OS X/, "Mac"], [/Linux/, "Linux"]]
    .find(([p]) => p.test(agent))?.[1] ?? ctx.t("this device");
  return transports.includes("internal") || transports.includes("hybrid") ? ctx.t("Passkey on {system}", { system }) : ctx.t("Security key");
}

const nameOf = (ctx, p) => p.name || ctx.t("Passkey without a name");

/** What the browser's refusals mean (WebAuthn Level 3, sections 5.1.3 and 5.1.4). */
function explain(ctx, e) {
  if (e?.code === "ACCOUNT_LOCKED") return ctx.t("There were too many failed tries with this passkey. Wait five minutes.");
  return e?.name === "ApiError" ? e.message : ({
    NotAllowedError: ctx.t("Nothing was changed: it was cancelled, or took too long."),
    AbortError: ctx.t("Nothing was changed: it was cancelled, or took too long."),
    InvalidStateError: ctx.t("This device has a passkey for your account already."),
    SecurityError: ctx.t("Passkeys do not work at this address."),
    NotSupportedError: ctx.t("This device cannot make a passkey that fits."),
  })[e?.name] ?? ctx.t("The browser could not do it. Try again.");
}

const common = (c) => ({ id: c.id, rawId: c.id, type: c.type, clientExtensionResults: c.getClientExtensionResults(),
  ...(c.authenticatorAttachment && { authenticatorAttachment: c.authenticatorAttachment }) });
const descriptor = (d) => ({ ...d, id: bytes(d.id), transports: d.transports?.filter(Boolean) });

/** base64url without padding (RFC 4648, section 5). */
function bytes(s) {
  return Uint8Array.from(atob(s.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}

function text(buffer) {
  let s = "";
  for (const b of new Uint8Array(buffer)) s += String.fromCharCode(b);
  return btoa(s).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
