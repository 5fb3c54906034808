// The shell: reads what the server offers, knows who is signed in, and shows the view
// of the path. Features live in modules; see doc.go for what they get.
import { choose, chosen, k, language, languages, preferred, speak, t } from "./language.js";
import { createApi } from "./api.js";
import { explain } from "./errors.js";
import * as ui from "./ui.js";
import { createRouter } from "./router.js";
import { createContext } from "./context.js";
import * as account from "./account.js";
import * as challenge from "./challenge.js";
import * as forgot from "./forgot.js";
import * as page from "./page.js";
import * as reset from "./reset.js";
import * as signIn from "./sign-in.js";
import * as signUp from "./sign-up.js";
import * as verify from "./verify.js";

const meta = (name) => document.querySelector(`meta[name="sallyport-${name}"]`)?.content ?? "";
const { h, button, notice } = ui;

const app = {
  name: meta("app"), prefix: meta("prefix"), api: createApi(meta("base"), checkSession),
  main: document.getElementById("main"), who: document.getElementById("who"), status: document.getElementById("status"), foot: document.getElementById("foot"),
  features: null, session: null, data: {}, shown: {}, notice: null, move: null,
};

app.href = (path) => app.prefix + path;

app.announce = (text) => {
  app.status.textContent = "";
  // A region that is emptied and filled in one turn is not read again.
  requestAnimationFrame(() => { app.status.textContent = text; });
};

app.refreshSession = async () => {
  app.session = await app.api.get("/get-session");
  if (await followUser()) showShell();
  showWho();
  return app.session;
};

/** Adds a style sheet of ours, once; it is there when the promise ends. */
app.style = (name) => new Promise((done) => {
  const href = new URL(name, import.meta.url).href;
  if ([...document.styleSheets].some((s) => s.href === href)) { done(); return; }
  document.head.append(h("link", { rel: "stylesheet", href, onload: done, onerror: done }));
});

/** Lets the page that is shown answer "back" and "forward" within its own path. */
app.onMove = (move) => { app.move = { path: location.pathname, move }; };

/**
 * Leaves an account that the server no longer knows: revoked, expired, deleted. Without a
 * way back it is for good, and what modules kept for the visit goes too.
 */
app.signedOut = (text, back) => {
  app.session = null;
  if (!back) for (const k of Object.keys(sessionStorage)) if (k.startsWith("sallyport:")) sessionStorage.removeItem(k);
  showWho();
  return app.navigate(back ? `/sign-in?next=${encodeURIComponent(app.href(back))}` : "/sign-in", { replace: true, notice: text });
};

/** A refused request may mean that the session ended elsewhere: then there is nothing to go on with here. */
async function checkSession() {
  if (!app.session || await app.refreshSession()) return;
  const page = location.pathname.slice(app.prefix.length);
  await app.signedOut(t("Your session has ended. Sign in again."), page.startsWith("/p/") ? page : "/account");
}

const routes = new Map(Object.entries({
  "/": { view: { render: () => app.navigate(app.session ? "/account" : "/sign-in", { replace: true }) } },
  "/sign-in": { view: signIn }, "/sign-up": { view: signUp }, "/forgot": { view: forgot }, "/reset": { view: reset },
  "/verify": { view: verify }, "/challenge": { view: challenge }, "/account": { view: account, private: true },
}));
const entryPage = { view: page };

const router = createRouter({
  prefix: app.prefix,
  known: (path) => routes.get(path) ?? (/^\/p\/[a-z0-9-]+$/.test(path) ? entryPage : null),
  show,
  moved: () => app.move?.path === location.pathname && (app.move.move(), true),
});

app.navigate = (path, { replace = false, notice: text = null, data = {} } = {}) => {
  app.notice = text;
  app.data = data;
  return router.go(path, replace);
};

/**
 * Shows the view of route. current() tells whether the visitor is still waiting for it:
 * a slow view must not overwrite a later one.
 */
async function show(route, path, current) {
  const text = app.notice, data = app.data;
  app.notice = null;
  app.data = {};
  app.shown = data;
  app.move = null;
  if (route.private && !app.session) {
    app.signedOut(text, path);
    return;
  }
  const root = h("div", { class: "view" });
  const context = createContext(app, data);
  const title = await route.view.render(root, context);
  if (title === undefined || !current()) return; // it went elsewhere
  app.main.replaceChildren(root);
  const heading = root.querySelector("h1");
  const failure = context.query.has("error") ? explain(context.query.get("error")) : null;
  if (failure) heading.after(notice("error", failure));
  if (text) heading.after(notice("info", text));
  document.title = `${title} · ${app.name}`;
  window.scrollTo(0, 0);
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  if (text ?? failure) app.announce(text ?? failure);
}

/** The user's field that holds their language; undefined where there is none. */
const localeField = () => app.features?.options?.i18n?.userLocaleField;

/** Speaks as the user has chosen elsewhere, unless somebody has chosen in this browser. */
const followUser = async () => !chosen() && speak(app.session?.user[localeField()]).catch(() => false);

/** What stands around every page. */
function showShell() {
  document.querySelector(".skip").textContent = t("Skip to content");
  const select = h("select", { id: "language", onchange: () => changeLanguage(select.value) },
    Object.entries(languages).map(([tag, name]) => h("option", { value: tag, lang: tag, selected: tag === language }, name)));
  app.foot.replaceChildren(h("label", { for: "language" }, t("Language")), select);
}

/** Shows the same page in another language, and keeps the choice: here, and with the account. */
async function changeLanguage(tag) {
  try {
    await speak(tag);
  } catch {
    app.announce(explain("OFFLINE"));
    return;
  }
  choose(tag);
  showShell();
  showWho();
  app.data = app.shown; // the page may live by what was passed to it
  if (app.features) await router.start(); else await start();
  document.getElementById("language").focus();
  if (!app.session || !localeField() || app.session.user[localeField()] === tag) return;
  try {
    await app.api.post("/update-user", { [localeField()]: tag });
    await app.refreshSession();
  } catch (e) {
    app.announce(e.message);
  }
}

function showWho() {
  if (!app.session) { app.who.replaceChildren(); return; }
  const out = button(t("Sign out"), { kind: "quiet small", onclick: async () => {
    try {
      await app.api.post("/sign-out");
    } catch (e) {
      app.announce(e.message);
      app.main.querySelector("h1")?.after(notice("error", e.message));
      return;
    }
    app.signedOut(t("You are signed out."));
  } });
  const pages = (app.features?.entries ?? []).filter((e) => e.kind === "page").sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
  app.who.replaceChildren(...[{ id: "account", title: k("Account") }, ...pages].slice(pages.length ? 0 : 1)
    .map((e) => h("a", { class: "who-page", href: app.href(e.id === "account" ? "/account" : `/p/${e.id}`) }, t(e.title))),
  h("span", { class: "who-name" }, app.session.user.email), out);
}

async function start() {
  app.main.setAttribute("aria-busy", "true");
  try {
    [app.features] = await Promise.all([app.api.get("/features"), app.refreshSession()]);
    if (await followUser()) showShell();
    showWho();
  } catch (e) {
    app.main.replaceChildren(h("div", { class: "card narrow" }, h("h1", {}, t("The service cannot be reached")),
      notice("error", e.message), h("div", { class: "actions" }, button(t("Try again"), { onclick: start }))));
    document.title = `${t("Not available")} · ${app.name}`;
    return;
  } finally {
    app.main.removeAttribute("aria-busy");
  }
  router.start();
}

await speak(chosen() ?? preferred()).catch(() => {}); // then in English
showShell();
start();
