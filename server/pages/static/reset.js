// /reset: a new password, with the token of the mailed link.
import { t, tn } from "./language.js";
import { h, field, form, passwordRule } from "./ui.js";

export function render(root, ctx) {
  const token = takeToken(ctx);
  const card = h("div", { class: "card narrow" }, h("h1", {}, t("Choose a new password")));
  root.append(card);
  card.append(token ? choose(ctx, token) : h("p", {}, tn("To choose a new password, open the link in the mail that we sent you. {link}",
    { link: h("a", { href: ctx.href("/forgot") }, t("Ask for a new link")) })));
  card.append(h("p", { class: "foot" }, h("a", { href: ctx.href("/sign-in") }, t("Back to sign in"))));
  return t("Choose a new password");
}

/** Takes the token out of the address bar, so that it is not copied, shown or kept as a bookmark. */
function takeToken(ctx) {
  const token = ctx.query.get("token");
  if (!token) return history.state?.resetToken ?? "";
  history.replaceState({ resetToken: token }, "", ctx.href("/reset"));
  return token;
}

function choose(ctx, token) {
  const rule = passwordRule(ctx.optionsOf("email-password"));
  const password = field({ label: t("New password"), name: "password", type: "password", autocomplete: "new-password", ...rule });
  return form({
    label: t("Choose a new password"), fields: [password], submitLabel: t("Save the password"),
    where: { PASSWORD_TOO_SHORT: "password", PASSWORD_TOO_LONG: "password", PASSWORD_COMPROMISED: "password" },
    async submit({ password }) {
      await ctx.api.post("/reset-password", { newPassword: password, token });
      history.replaceState(null, "", ctx.href("/reset"));
      await ctx.refreshSession(); // the server may have ended all sessions
      await ctx.navigate("/sign-in", { replace: true, notice: t("Your password is changed. Sign in with the new one.") });
    },
  }).element;
}
