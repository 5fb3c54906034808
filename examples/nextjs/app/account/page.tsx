import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { askServer } from "../../lib/session";
import { SignOut } from "./sign-out";

// The page that matters asks the database itself: a session that was revoked a moment ago opens nothing here.
// It refreshes nothing, since a page cannot set cookies; proxy.ts does that.
export default async function Account() {
  const { session } = await askServer(await headers(), "?disableCookieCache=true&disableRefresh=true");
  if (!session) redirect("/sign-in");
  return (
    <main>
      <h1>Account</h1>
      <p>{session.user.name}, {session.user.email}</p>
      <SignOut />
    </main>
  );
}
