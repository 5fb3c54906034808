// Email and password: signing in, signing up, changing the password.

export function render(root, ctx) {
  ({ "sign-in": signIn, "sign-up": signUp, "account": change })[ctx.entry.kind](root, ctx);
}

const address = (ctx, extra) => ctx.ui.field({
  label: ctx.t("Email address"), name: "email", type: "email", inputmode: "email", spellcheck: "false", autocapitalize: "none",
  autocomplete: "username", ...extra,
});

function signIn(root, ctx) {
  const { h, field, form, checkbox } = ctx.ui;
  // "webauthn" lets a plugin offer passkeys in this field (WebAuthn Level 3, conditional mediation).
  const email = address(ctx, { autocomplete: "username webauthn" });
  const password = field({ label: ctx.t("Password"), name: "password", type: "password", autocomplete: "current-password" });
  const remember = checkbox({ label: ctx.t("Keep me signed in"), name: "remember", checked: true });
  const forgot = ctx.options.resetPassword !== false && h("a", { href: ctx.href("/forgot"), onclick: (e) => {
    e.preventDefault();
    ctx.navigate("/forgot", { data: { email: email.value } });
  } }, ctx.t("Forgot your password?"));
  root.append(form({
    label: ctx.t("Sign in with email and password"), fields: [email, password], submitLabel: ctx.t("Sign in"),
    after: [h("div", { class: "between" }, remember.element, forgot || null)],
    where: { INVALID_EMAIL: "email" },
    async submit(values) {
      try {
        const answer = await ctx.api.post("/sign-in/email", { ...values, rememberMe: remember.value });
        await ctx.signedIn(answer);
      } catch (e) {
        if (e.code !== "EMAIL_NOT_VERIFIED") throw e;
        await ctx.navigate("/verify", { data: { unverified: values.email }, notice: e.message });
      }
    },
  }).element);
}

function signUp(root, ctx) {
  const { field, form, passwordRule } = ctx.ui;
  const name = field({ label: ctx.t("Name"), name: "name", autocomplete: "name", hint: ctx.t("What we call you. You can change it later."),
    check: (v) => (v.trim() ? "" : ctx.t("Please fill this in.")) });
  const email = address(ctx, {});
  const password = field({ label: ctx.t("Password"), name: "password", type: "password", autocomplete: "new-password", ...passwordRule(ctx.options) });
  root.append(form({
    label: ctx.t("Create an account with email and password"), fields: [name, email, password], submitLabel: ctx.t("Create the account"),
    where: {
      INVALID_EMAIL: "email", USER_ALREADY_EXISTS: "email", USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: "email",
      PASSWORD_TOO_SHORT: "password", PASSWORD_TOO_LONG: "password", PASSWORD_COMPROMISED: "password",
    },
    async submit(values) {
      const answer = await ctx.api.post("/sign-up/email", { ...values, name: values.name.trim(), callbackURL: ctx.href("/verify?done=signup") });
      // Without a token the server waits for the address to be verified. It answers the
      // same where there is an account already, and so does this page.
      if (!answer?.token && !answer?.twoFactorRedirect) await ctx.navigate("/verify", { data: { email: values.email } });
      else await ctx.signedIn(answer);
    },
  }).element);
}

function change(root, ctx) {
  const { h, row } = ctx.ui;
  root.append(row({
    value: h("span", { class: "muted" }, ctx.t("Change it if somebody else may know it.")), action: ctx.t("Change"), actionName: ctx.t("Change the password"),
    announce: ctx.announce, make: (close) => changeForm(ctx, close),
  }).element);
}

function changeForm(ctx, close) {
  const { field, form, checkbox, passwordRule, usernameFor } = ctx.ui;
  const current = field({ label: ctx.t("Current password"), name: "currentPassword", type: "password", autocomplete: "current-password" });
  const next = field({ label: ctx.t("New password"), name: "newPassword", type: "password", autocomplete: "new-password", ...passwordRule(ctx.options) });
  const others = checkbox({ label: ctx.t("Sign out everywhere else"), name: "others", checked: true });
  return form({
    label: ctx.t("Change the password"), fields: [current, next], submitLabel: ctx.t("Save the password"), onCancel: () => close(),
    before: [usernameFor(ctx.session.user.email)], after: [others.element],
    where: { INVALID_PASSWORD: "currentPassword", PASSWORD_TOO_SHORT: "newPassword", PASSWORD_TOO_LONG: "newPassword", PASSWORD_COMPROMISED: "newPassword" },
    async submit(values) {
      await ctx.api.post("/change-password", { ...values, revokeOtherSessions: others.value });
      await ctx.refreshSession();
      close(ctx.t("Your password is changed."));
      if (others.value) document.dispatchEvent(new CustomEvent("sallyport:sessions"));
    },
  }).element;
}
