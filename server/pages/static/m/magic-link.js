// Signing in with a link by mail.

// What the wire says about a link that did not sign in; it comes back in the address.
const refusals = {
  INVALID_TOKEN: "The link does not work any more. Ask for a new one.",
  CONFIRMATION_FAILED: "Open the link in the mail once more, in this browser. It needs cookies.",
  new_user_signup_disabled: "There is no account with this email address.",
};

export function render(root, ctx) {
  const { h, field, form, notice } = ctx.ui;
  const email = field({
    label: "Email address for the link", name: "email", type: "email", inputmode: "email", spellcheck: "false", autocapitalize: "none",
    autocomplete: "email", value: ctx.data.email ?? "",
  });
  const next = ctx.query.get("next");
  const here = ctx.href(`/sign-in${next ? `?next=${encodeURIComponent(next)}` : ""}`);
  const sent = h("div", { role: "status" });
  const refusal = refusals[ctx.query.get("error")];
  root.append(...(refusal ? [notice("error", refusal)] : []), sent, form({
    label: "Sign in with a link by mail", fields: [email], submitLabel: "Email me a link", kind: "quiet",
    where: { VALIDATION_ERROR: "email" },
    async submit(values) {
      sent.replaceChildren();
      // The server checks where the link leads, whatever stands in this page's address.
      await ctx.api.post("/sign-in/magic-link", { email: values.email, callbackURL: next ?? ctx.href("/account"), errorCallbackURL: here });
      sent.replaceChildren(notice("success", `A link is on its way to ${values.email}. It works once, for ${lifetime(ctx.options.expiresIn ?? 300)}.`));
    },
  }).element);
}

function lifetime(seconds) {
  const minutes = Math.max(1, Math.floor(seconds / 60));
  return minutes === 1 ? "a minute" : `${minutes} minutes`;
}
