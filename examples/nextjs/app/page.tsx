import Link from "next/link";

export default function Start() {
  return (
    <main>
      <h1>Sallyport with Next.js</h1>
      <p><Link href="/sign-in">Sign in or sign up</Link></p>
    </main>
  );
}
