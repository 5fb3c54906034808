// Settings of the server alone: never in a variable that begins with NEXT_PUBLIC_.

/** Where this server reaches Sallyport. `next build` writes it into the rewrite: set it then too. */
export const authServer = process.env.AUTH_URL ?? "http://127.0.0.1:8080";

// The next three have the names that Sallyport reads them from, so that both get the same.
export const secret = process.env.BETTER_AUTH_SECRET;
export const strategy = (process.env.SALLYPORT_SESSION_COOKIE_CACHE_STRATEGY ?? "compact") as "compact" | "jwt" | "jwe";
/** Whether cookies are called __Secure-: they are where people come by https. */
export const isSecure = process.env.SALLYPORT_BASE_URL?.startsWith("https://") ?? false;
