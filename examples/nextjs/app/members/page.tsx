// A page for whoever is signed in, the same for all: made once, at build. proxy.ts alone guards it, so
// somebody whose session was revoked may still see it for as long as the cookie cache lives.
export default function Members() {
  return (
    <main>
      <h1>Members only</h1>
      <p>The lighthouse opens at nine.</p>
    </main>
  );
}
