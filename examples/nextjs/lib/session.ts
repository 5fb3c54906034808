import { getCookieCache } from "better-auth/cookies";
import { authServer, isSecure, secret, strategy } from "./settings";

/**
 * What the cookie cache says, without asking anybody: Sallyport signed it at most maxAge ago.
 * Null where there is none, none that holds, or no secret to read it with.
 */
export async function cachedSession(headers: Headers) {
  if (!secret) return null;
  // Without isSecure it would go by NODE_ENV, and find nothing under `next start` on http://localhost.
  // What is not even base64 makes it throw.
  return getCookieCache(headers, { secret, strategy, isSecure }).catch(() => null);
}

/** Asks Sallyport. Throws where that does not answer: a server that is down signs nobody out. */
export async function askServer(headers: Headers, query = "") {
  const passedOn = new Headers();
  for (const name of ["cookie", "x-forwarded-for"]) {
    const value = headers.get(name);
    if (value) passedOn.set(name, value);
  }
  const answer = await fetch(`${authServer}/api/auth/get-session${query}`, {
    headers: passedOn,
    cache: "no-store",
    signal: AbortSignal.timeout(5_000),
  });
  if (!answer.ok) throw new Error(`get-session answered ${answer.status}`);
  const session: { user: { id: string; name: string; email: string } } | null = await answer.json(); // and more
  return { session, setCookies: answer.headers.getSetCookie() };
}
