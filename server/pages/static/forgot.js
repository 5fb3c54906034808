// /forgot: asks for a link that resets the password.
import { t, tn } from "./language.js";
import { h, field, form, notice } from "./ui.js";

export function render(root, ctx) {
  const card = h("div", { class: "card narrow" }, h("h1", {}, t("Reset your password")));
  root.append(card);
  if (ctx.optionsOf("email-password").resetPassword === false) {
    card.append(notice("info", t("Passwords cannot be reset here. Ask the people who run this site.")));
  } else {
    card.append(ask(ctx, card));
  }
  card.append(h("p", { class: "foot" }, h("a", { href: ctx.href("/sign-in") }, t("Back to sign in"))));
  return t("Reset your password");
}

function ask(ctx, card) {
  const email = field({ label: t("Email address"), name: "email", type: "email", autocomplete: "username", inputmode: "email", spellcheck: "false",
    value: ctx.data.email ?? "" });
  const f = form({
    label: t("Reset your password"), fields: [email], submitLabel: t("Send the link"), where: { INVALID_EMAIL: "email" },
    before: [h("p", { class: "lead" }, t("Enter your email address. We send you a link with which you choose a new password."))],
    async submit({ email }) {
      await ctx.api.post("/request-password-reset", { email, redirectTo: ctx.href("/reset") });
      // The same words whether or not there is such an account.
      const heading = h("h1", { tabindex: "-1" }, t("Check your mail"));
      const text = t("If there is an account with this address, a link is on its way. It works once, and not for long.");
      card.replaceChildren(heading, h("p", { class: "lead" }, text), h("p", { class: "address" }, email),
        h("p", { class: "foot" }, tn("Nothing there? Look into the spam folder, or {link}.", { link: h("a", { href: ctx.href("/forgot") }, t("ask again")) })));
      document.title = `${t("Check your mail")} · ${ctx.appName}`;
      heading.focus();
      ctx.announce(text);
    },
  });
  return f.element;
}
