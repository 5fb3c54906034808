import type { NextConfig } from "next";
import { authServer } from "./lib/settings";

// The browser knows one origin: what it asks of /api/auth, Next passes on. So Sallyport's
// cookies are those of this site, and no request crosses origins.
export default {
  rewrites: async () => [{ source: "/api/auth/:path*", destination: `${authServer}/api/auth/:path*` }],
} satisfies NextConfig;
