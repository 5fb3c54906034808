// Where the account is signed in, and signing out elsewhere.

export async function render(root, ctx) {
  const reload = () => fill(root, ctx);
  const refresh = () => (root.isConnected ? reload() : document.removeEventListener("sallyport:sessions", refresh));
  document.addEventListener("sallyport:sessions", refresh);
  await reload();
}

async function fill(root, ctx) {
  const { h, notice, button } = ctx.ui;
  let sessions;
  try {
    sessions = await ctx.api.get("/list-sessions");
  } catch (e) {
    if (e.code !== "SESSION_NOT_FRESH") { root.replaceChildren(notice("error", e.message)); return; }
    root.replaceChildren(h("p", {}, ctx.t("To see this list, sign in again: it has been a while since you did.")),
      h("div", { class: "actions" }, button(ctx.t("Sign in again"), { kind: "quiet", onclick: () => ctx.navigate(`/sign-in?next=${encodeURIComponent(ctx.href("/account"))}`) })));
    return;
  }
  const mine = ctx.session.session.id;
  sessions.sort((a, b) => (b.id === mine) - (a.id === mine) || Date.parse(b.updatedAt) - Date.parse(a.updatedAt));
  const alert = h("div", { role: "alert" });
  const attempt = async (work, text) => {
    alert.replaceChildren();
    try {
      await work();
    } catch (e) {
      alert.replaceChildren(h("p", { class: "notice error" }, e.message));
      return;
    }
    await fill(root, ctx);
    ctx.announce(text);
    const heading = root.closest("section")?.querySelector("h2"); // the button is gone
    if (heading) { heading.tabIndex = -1; heading.focus(); }
  };
  const item = (s) => {
    const device = describe(ctx, s.userAgent);
    const out = () => attempt(() => ctx.api.post("/revoke-session", { token: s.token }), ctx.t("Signed out on {device}.", { device }));
    return h("li", { class: "session" },
      h("div", { class: "row-text" },
        h("div", { class: "row-label strong" }, device, s.id === mine && h("span", { class: "badge good" }, ctx.t("This device"))),
        h("div", { class: "hint" }, [s.ipAddress, ctx.t("since {date}", { date: ctx.date(s.createdAt) })].filter(Boolean).join(" · "))),
      s.id !== mine && button(ctx.t("Sign out"), { kind: "quiet small", name: ctx.t("Sign out on {device}, since {date}", { device, date: ctx.date(s.createdAt) }), onclick: out }));
  };
  const others = sessions.some((s) => s.id !== mine) && h("div", { class: "actions" },
    button(ctx.t("Sign out everywhere else"), { kind: "quiet", onclick: () => attempt(() => ctx.api.post("/revoke-other-sessions"), ctx.t("Signed out everywhere else.")) }));
  root.replaceChildren(alert, h("ul", { class: "list" }, sessions.map(item)), ...(others ? [others] : []));
}

/** A user agent in words. It is a hint for people, and decides nothing. */
function describe(ctx, agent) {
  if (!agent) return ctx.t("Unknown device");
  const first = (list) => list.find(([pattern]) => pattern.test(agent))?.[1];
  const browser = first([[/\bEdg/, "Edge"], [/\bOPR\//, "Opera"], [/Firefox\//, "Firefox"], [/Chrome\/|CriOS\//, "Chrome"], [/Safari\//, "Safari"]]);
  const system = first([[/iPhone/, "iPhone"], [/iPad/, "iPad"], [/Android/, "Android"], [/Windows/, "Windows"], [/CrOS/, "ChromeOS"], [/Mac OS X/, "Mac"], [/Linux/, "Linux"]]);
  return browser && system ? ctx.t("{browser} on {system}", { browser, system }) : browser ?? system ?? ctx.t("Unknown device");
}
