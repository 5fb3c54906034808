"use client";

import { useState, type FormEvent } from "react";
import { authClient } from "../../lib/auth-client";

export default function SignIn() {
  const [isNew, setNew] = useState(false);
  const [fault, setFault] = useState<string>();

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = Object.fromEntries(new FormData(event.currentTarget)) as Record<"name" | "email" | "password", string>;
    const { error } = isNew ? await authClient.signUp.email(form) : await authClient.signIn.email(form);
    if (error) return setFault(error.message ?? error.statusText);
    location.assign("/account"); // a full load: nothing of before stays in the router's cache
  }

  return (
    <main>
      <h1>{isNew ? "Sign up" : "Sign in"}</h1>
      <form method="post" onSubmit={submit}>
        {isNew && <p><label>Name <input name="name" autoComplete="name" required /></label></p>}
        <p><label>E-mail <input name="email" type="email" autoComplete="email" required /></label></p>
        <p><label>Password <input name="password" type="password" autoComplete={isNew ? "new-password" : "current-password"} required /></label></p>
        {fault && <p role="alert">{fault}</p>}
        <button>{isNew ? "Sign up" : "Sign in"}</button>{" "}
        <button type="button" onClick={() => setNew(!isNew)}>{isNew ? "I have an account" : "I am new here"}</button>
      </form>
    </main>
  );
}
