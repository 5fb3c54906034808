// The address of the account: whether it is verified, and changing it.

export function render(root, ctx) {
  const core = ctx.optionsOf("core");
  const { h, row } = ctx.ui;
  const { email, emailVerified } = ctx.session.user;
  const value = h("span", {}, h("span", { class: "break" }, email), " ",
    h("span", { class: emailVerified ? "badge good" : "badge" }, emailVerified ? ctx.t("Verified") : ctx.t("Not verified")));
  if (core.changeEmail === false) {
    root.append(h("p", { class: "row-value" }, value));
  } else {
    root.append(row({
      value, action: ctx.t("Change"), actionName: ctx.t("Change the email address"), announce: ctx.announce,
      make: (close) => changeForm(ctx, close),
    }).element);
  }
  if (!emailVerified && core.verifyEmail !== false) root.append(verify(ctx));
}

function changeForm(ctx, close) {
  const { field, form } = ctx.ui;
  const newEmail = field({
    label: ctx.t("New email address"), name: "newEmail", type: "email", inputmode: "email", autocomplete: "email", spellcheck: "false",
    hint: ctx.t("We send a link to confirm the change. Until you open it, nothing changes."),
    check: (v) => (v.toLowerCase() === ctx.session.user.email ? ctx.t("This is your address already.") : ""),
  });
  return form({
    label: ctx.t("Change the email address"), fields: [newEmail], submitLabel: ctx.t("Send the link"), onCancel: () => close(),
    where: { INVALID_EMAIL: "newEmail" },
    async submit({ newEmail }) {
      await ctx.api.post("/change-email", { newEmail, callbackURL: ctx.href("/verify?done=change") });
      close(ctx.session.user.emailVerified
        ? ctx.t("Check your mail: open the link that we sent to your current address.")
        : ctx.t("Check your mail: open the link that we sent to the new address."));
    },
  }).element;
}

function verify(ctx) {
  const { h, form } = ctx.ui;
  const holder = h("div", { class: "row-extra" });
  holder.append(form({
    label: ctx.t("Verify the email address"), fields: [], submitLabel: ctx.t("Send a verification mail"), kind: "quiet",
    async submit() {
      await ctx.api.post("/send-verification-email", { email: ctx.session.user.email, callbackURL: ctx.href("/verify?done=signup") });
      const text = ctx.t("A link is on its way. Open it to verify your address.");
      holder.replaceChildren(h("p", { class: "notice-line", tabindex: "-1" }, text));
      holder.firstChild.focus();
      ctx.announce(text);
    },
  }).element);
  return holder;
}
