// What views and modules get, and how modules are loaded.
import { date, k, language, t, tn, translator } from "./language.js";
import { safeNext } from "./router.js";
import * as ui from "./ui.js";

// What core itself offers on the account page, whichever plugins there are.
const coreEntries = [
  { id: "profile", kind: "account", title: k("Profile"), module: "profile.js", order: 0 },
  { id: "email", kind: "account", title: k("Email address"), module: "email.js", order: 5 },
  { id: "sessions", kind: "account", title: k("Where you are signed in"), module: "sessions.js", order: 80 },
  { id: "delete-account", kind: "account", title: k("Delete account"), module: "delete-account.js", order: 100 },
];

const titles = new Map(); // by module: how it translates

export function createContext(app, data) {
  const options = (id) => app.features?.options?.[id] ?? {};
  const offered = {
    "email": () => options("core").changeEmail !== false || options("core").verifyEmail !== false,
    "delete-account": () => options("core").deleteUser !== false,
  };

  /** The entries of a kind, in order; an entry of the server replaces core's of the same id. */
  function entries(kind) {
    const all = new Map();
    const core = coreEntries.filter((e) => !offered[e.id] || offered[e.id]());
    for (const e of [...core, ...(app.features?.entries ?? [])]) {
      if (e.kind === kind && !(kind === "sign-up" && options(e.id).signUp === false)) all.set(e.id, e);
    }
    return [...all.values()].sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
  }

  const context = {
    api: app.api, ui, announce: app.announce, navigate: app.navigate, href: app.href, data,
    features: app.features, refreshSession: app.refreshSession, signedOut: app.signedOut,
    get session() { return app.session; },
    query: new URLSearchParams(location.search),
    style: app.style, onMove: app.onMove,
    entries,
    optionsOf: options,
    appName: app.name,
    t, tn, date,
    get language() { return language; },

    /** The title of an entry, in the language of the page where its module or the catalogue has it. */
    title: (entry) => (titles.get(entry.module) ?? t)(entry.title),

    /** After any sign-in: a further step, or the next page with the new session. */
    async signedIn(answer) {
      const next = safeNext(context.query.get("next"));
      if (answer?.twoFactorRedirect) {
        const query = next ? `?next=${encodeURIComponent(next)}` : "";
        return app.navigate(`/challenge${query}`, { data: { methods: answer.twoFactorMethods ?? [] } });
      }
      await app.refreshSession();
      if (!app.session) {
        return app.navigate("/sign-in", { notice: t("You are signed in, but the browser did not keep the cookie. Allow cookies for this site.") });
      }
      const inside = next?.startsWith(`${app.prefix}/`) ? next.slice(app.prefix.length) : null;
      if (next && !/^\/(account|p\/[a-z0-9-]+)(\?|$)/.test(inside ?? "")) return location.assign(next);
      return app.navigate(inside ?? "/account", { replace: true });
    },

    /** Lets a module fill a new element. One that fails says so and spares the others. */
    async render(entry) {
      const root = ui.h("div", { class: "entry" });
      try {
        if (!/^[a-z0-9-]+\.js$/.test(entry.module)) throw new TypeError(`not a module: ${entry.module}`);
        const module = await import(`${app.prefix}/m/${entry.module}`);
        root.classList.toggle("full", module.full === true);
        const own = translator(module.texts);
        titles.set(entry.module, own.t);
        await module.render(root, Object.create(context, {
          t: { value: own.t, enumerable: true }, tn: { value: own.tn, enumerable: true },
          entry: { value: entry, enumerable: true }, options: { value: options(entry.id), enumerable: true },
        }));
      } catch (e) {
        if (e?.name !== "ApiError") console.error(e);
        root.replaceChildren(ui.notice("error", t("“{title}” could not be shown. Load the page again.", { title: context.title(entry) })));
      }
      return root;
    },
  };
  return context;
}
