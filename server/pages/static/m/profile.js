// The name of the account.

export function render(root, ctx) {
  const { row, field, form } = ctx.ui;
  const name = row({
    label: ctx.t("Name"), value: ctx.session.user.name, action: ctx.t("Change"), actionName: ctx.t("Change the name"), announce: ctx.announce,
    make: (close) => form({
      label: ctx.t("Change the name"), submitLabel: ctx.t("Save the name"), onCancel: () => close(),
      fields: [field({ label: ctx.t("Name"), name: "name", autocomplete: "name", value: ctx.session.user.name,
        check: (v) => (v.trim() ? "" : ctx.t("Please fill this in.")) })],
      async submit(values) {
        await ctx.api.post("/update-user", { name: values.name.trim() });
        await ctx.refreshSession();
        name.set(ctx.session.user.name);
        close(ctx.t("Your name is changed."));
      },
    }).element,
  });
  root.append(name.element);
}
