// A client of the server in sallyport.yaml, as an app writes it: what "generate ts" makes
// (auth.gen.ts) fits the official client, and tells right from wrong.
import { createAuthClient } from "better-auth/client";
import { inferAdditionalFields, organizationClient, twoFactorClient } from "better-auth/client/plugins";
import { ac, additionalFields, organizationFields, roles, type ErrorCode } from "./auth.gen.js";

const auth = createAuthClient({
  baseURL: "http://localhost:8080",
  plugins: [inferAdditionalFields(additionalFields), organizationClient({ ac, roles, schema: organizationFields }), twoFactorClient()],
});

export async function use() {
  await auth.signUp.email({ name: "Ada", email: "ada@example.com", password: "correct horse", plan: "pro" });
  // @ts-expect-error plan is a text
  await auth.signUp.email({ name: "Ada", email: "ada@example.com", password: "correct horse", plan: 1 });
  const { data, error } = await auth.getSession();
  const plan: string | null | undefined = data?.user.plan, score: number | null | undefined = data?.user.score, theme: string | null | undefined = data?.session.theme;
  // @ts-expect-error there is no such field
  data?.user.planet;
  await auth.organization.create({ name: "Acme", slug: "acme", region: "eu" });
  // @ts-expect-error region is required
  await auth.organization.create({ name: "Acme", slug: "acme" });
  await auth.organization.inviteMember({ email: "bob@example.com", role: "clerk" });
  // @ts-expect-error there is no such role
  await auth.organization.inviteMember({ email: "bob@example.com", role: "boss" });
  await auth.organization.hasPermission({ permissions: { invoice: ["pay"] } });
  // @ts-expect-error there is no such action
  await auth.organization.hasPermission({ permissions: { invoice: ["burn"] } });
  const may: boolean = auth.organization.checkRolePermission({ role: "clerk", permissions: { invoice: ["read"] } });
  const code = error?.code as ErrorCode | undefined;
  if (code === "ACCOUNT_LOCKED") return;
  // @ts-expect-error there is no such code
  if (code === "ACCOUNT_LOOKED") return;
  return { plan, score, theme, may };
}
