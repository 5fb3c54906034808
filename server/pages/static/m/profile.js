// The name of the account.

export function render(root, ctx) {
  const { row, field, form } = ctx.ui;
  const name = row({
    label: "Name", value: ctx.session.user.name, action: "Change", actionName: "Change the name", announce: ctx.announce,
    make: (close) => form({
      label: "Change the name", submitLabel: "Save the name", onCancel: () => close(),
      fields: [field({ label: "Name", name: "name", autocomplete: "name", value: ctx.session.user.name,
        check: (v) => (v.trim() ? "" : "Please fill this in.") })],
      async submit(values) {
        await ctx.api.post("/update-user", { name: values.name.trim() });
        await ctx.refreshSession();
        name.set(ctx.session.user.name);
        close("Your name is changed.");
      },
    }).element,
  });
  root.append(name.element);
}
