import { getSessionCookie } from "better-auth/cookies";
import { NextResponse, type NextRequest } from "next/server";
import { askServer, cachedSession } from "./lib/session";

export const config = { matcher: ["/members/:path*", "/account/:path*"] };

/** Sends away who has no session, before a page is made. */
export async function proxy(request: NextRequest) {
  const signIn = () => NextResponse.redirect(new URL("/sign-in", request.url));

  // Only a look whether the cookie is there: anybody can write one. It saves the question.
  if (!getSessionCookie(request)) return signIn();

  // The common case: no round trip.
  if (await cachedSession(request.headers)) return NextResponse.next();

  try {
    const { session, setCookies } = await askServer(request.headers);
    const response = session ? NextResponse.next() : signIn();
    // A new cache for the next requests, a renewed session, or the end of dead cookies.
    for (const cookie of setCookies) response.headers.append("set-cookie", cookie);
    return response;
  } catch {
    return new NextResponse("The sign-in service does not answer.", { status: 503 });
  }
}
