// Deleting the account, behind a dialog that says what it means.

export async function render(root, ctx) {
  const { h, button, dialog } = ctx.ui;
  const accounts = await ctx.api.get("/list-accounts");
  const hasPassword = accounts.some((a) => a.providerId === "credential");
  root.append(
    h("p", {}, ctx.t("Everything that belongs to your account is deleted. This cannot be undone.")),
    h("div", { class: "actions" }, button(ctx.t("Delete the account…"), {
      kind: "danger-quiet", onclick: () => dialog({ title: ctx.t("Delete your account?"), make: (close) => confirm(ctx, close, hasPassword) }),
    })));
}

// Who has a password proves with it that it is them; the server checks all others by
// the age of their session or by mail.
function confirm(ctx, close, hasPassword) {
  const { h, field, form, usernameFor } = ctx.ui;
  const { email } = ctx.session.user;
  const password = field({ label: ctx.t("Password"), name: "password", type: "password", autocomplete: "current-password" });
  return form({
    label: ctx.t("Delete the account"), fields: hasPassword ? [password] : [], submitLabel: ctx.t("Delete for good"), kind: "danger", onCancel: close,
    before: [h("p", {}, ctx.tn("The account of {email} and everything in it will be gone.", { email: h("strong", { class: "break" }, email) })), usernameFor(email)],
    where: { INVALID_PASSWORD: "password" },
    async submit({ password }) {
      const answer = await ctx.api.post("/delete-user", { ...(password && { password }), callbackURL: ctx.href("/sign-in") });
      close();
      await ctx.refreshSession();
      if (ctx.session) await ctx.navigate("/account", { replace: true, notice: ctx.t("Check your mail: the account is deleted when you open the link that we sent you.") });
      else ctx.signedOut(answer?.success ? ctx.t("Your account is deleted.") : ctx.t("You are signed out."));
    },
  }).element;
}
