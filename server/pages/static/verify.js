// /verify: "check your mail" after signing up, and where the mailed links come back to.
// ?done=signup and ?done=change say which link it was; ?error=CODE says that it failed.
import { t, tn } from "./language.js";
import { h, field, form, button } from "./ui.js";

export function render(root, ctx) {
  const done = ctx.query.get("done"), failed = ctx.query.has("error");
  const card = h("div", { class: "card narrow" });
  root.append(card);
  if (failed) return again(card, ctx, t("The link did not work"));
  if (done === "change") return changed(card, ctx);
  if (done) return verified(card, ctx);
  return ctx.data.email ? sent(card, ctx) : again(card, ctx, t("Verify your email address"));
}

function onwards(ctx) {
  return ctx.session
    ? h("div", { class: "actions" }, button(t("Go to your account"), { onclick: () => ctx.navigate("/account") }))
    : h("div", { class: "actions" }, button(t("Sign in"), { onclick: () => ctx.navigate("/sign-in") }));
}

function verified(card, ctx) {
  card.append(h("h1", {}, t("Your address is verified")), h("p", { class: "lead" }, t("Thank you. Everything is ready.")), onwards(ctx));
  return t("Your address is verified");
}

// The old address confirms first, then the new one: both links end here, and which it
// was cannot be told from the address.
function changed(card, ctx) {
  card.append(h("h1", {}, t("Confirmed")),
    ctx.session && h("p", { class: "lead" }, tn("The address of your account is {email}.", { email: h("strong", {}, ctx.session.user.email) })),
    h("p", {}, t("If you asked for another one, we have sent a last link to it. It becomes yours when you open that link.")), onwards(ctx));
  return t("Confirmed");
}

function sent(card, ctx) {
  card.append(h("h1", {}, t("Check your mail")),
    h("p", { class: "lead" }, ctx.data.resent ? t("We have sent a link to this address:") : t("One step is left. We have sent a link to this address:")),
    h("p", { class: "address" }, ctx.data.email),
    h("p", {}, t("Open the link to verify that the address is yours.")),
    h("p", { class: "foot" }, tn("Nothing there? Look into the spam folder, or {link}.", { link:
      h("a", { href: ctx.href("/verify"), onclick: (e) => { e.preventDefault(); ctx.navigate("/verify"); } }, t("send it again")) })));
  return t("Check your mail");
}

function again(card, ctx, title) {
  const email = field({ label: t("Email address"), name: "email", type: "email", autocomplete: "username", inputmode: "email", spellcheck: "false",
    value: ctx.session?.user.email ?? ctx.data.unverified ?? "" });
  card.append(h("h1", {}, title));
  if (ctx.session?.user.emailVerified) { card.append(onwards(ctx)); return title; }
  card.append(form({
    label: title, fields: [email], submitLabel: t("Send a new link"), where: { INVALID_EMAIL: "email", EMAIL_MISMATCH: "email" },
    before: [h("p", { class: "lead" }, t("We can send you a new link to verify your email address."))],
    async submit({ email }) {
      await ctx.api.post("/send-verification-email", { email, callbackURL: ctx.href("/verify?done=signup") });
      await ctx.navigate("/verify", { data: { email, resent: true } });
    },
  }).element, h("p", { class: "foot" }, h("a", { href: ctx.href(ctx.session ? "/account" : "/sign-in") }, ctx.session ? t("Back to your account") : t("Back to sign in"))));
  return title;
}
