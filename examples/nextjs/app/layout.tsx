import Link from "next/link";
import type { ReactNode } from "react";

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <nav>
          {/* Without prefetch: what was fetched before signing in would be a redirect. */}
          <Link href="/">Start</Link> <Link href="/members" prefetch={false}>Members</Link> <Link href="/account" prefetch={false}>Account</Link>
        </nav>
        {children}
      </body>
    </html>
  );
}
