// Signing in with a link by mail.

// What the wire says about a link that did not sign in; it comes back in the address.
const refusals = (ctx) => ({
  INVALID_TOKEN: ctx.t("The link does not work any more. Ask for a new one."),
  CONFIRMATION_FAILED: ctx.t("Open the link in the mail once more, in this browser. It needs cookies."),
  new_user_signup_disabled: ctx.t("There is no account with this email address."),
});

export function render(root, ctx) {
  const { h, field, form, notice } = ctx.ui;
  const email = field({
    label: ctx.t("Email address for the link"), name: "email", type: "email", inputmode: "email", spellcheck: "false", autocapitalize: "none",
    autocomplete: "email", value: ctx.data.email ?? "",
  });
  const next = ctx.query.get("next");
  const here = ctx.href(`/sign-in${next ? `?next=${encodeURIComponent(next)}` : ""}`);
  const sent = h("div", { role: "status" });
  const refusal = refusals(ctx)[ctx.query.get("error")];
  root.append(...(refusal ? [notice("error", refusal)] : []), sent, form({
    label: ctx.t("Sign in with a link by mail"), fields: [email], submitLabel: ctx.t("Email me a link"), kind: "quiet",
    where: { VALIDATION_ERROR: "email" },
    async submit(values) {
      sent.replaceChildren();
      // The server checks where the link leads, whatever stands in this page's address.
      await ctx.api.post("/sign-in/magic-link", { email: values.email, callbackURL: next ?? ctx.href("/account"), errorCallbackURL: here });
      const minutes = Math.max(1, Math.floor((ctx.options.expiresIn ?? 300) / 60));
      sent.replaceChildren(notice("success", ctx.t("A link is on its way to {email}. It works once, for {n} minutes.", { email: values.email, n: minutes })));
    },
  }).element);
}
