// The pages in other languages: a journey in German, and the switch.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import de from "../static/text-de.js";
import { Visitor, looks, startBrowser, startServer } from "./support.mjs";

let server, browser;
before(async () => {
  [server, browser] = await Promise.all([startServer({ plugins: ["magic-link", "passkey", "two-factor", "i18n"], more: { requireEmailVerification: false, sendOnSignUp: false } }), startBrowser()]);
});
after(async () => { await browser?.close(); await server?.stop(); });

const password = "correct horse 1";

/** Fails if an English text of the catalogue can be read, as text or as a label. */
async function speaksGerman(v) {
  const shown = await v.page.evaluate(() => [document.body.innerText, document.title,
    ...[...document.querySelectorAll("[aria-label]")].map((e) => e.getAttribute("aria-label"))].join("\n"));
  const english = Object.entries(de).filter(([text, own]) => typeof own === "string" && own !== text && text.length > 3 && !text.includes("{"))
    .map(([text]) => text).filter((text) => shown.split("\n").map((line) => line.trim()).includes(text));
  assert.deepEqual(english, []);
  assert.equal(await v.page.locator("html").getAttribute("lang"), "de");
}

async function signUp(v, email, words) {
  await v.type(words.name, "Ada");
  await v.type(words.email, email);
  await v.type(words.password, password);
  await v.press(words.create);
}
const german = { name: "Name", email: "E-Mail-Adresse", password: "Passwort", create: "Konto anlegen" };

for (const look of looks) {
  test(`a journey in German, ${look.name}`, async () => {
    const v = await Visitor.enter(browser, server.base, look, "de-CH");
    await v.open("/");
    await v.arrive("Anmelden");
    await speaksGerman(v);
    await v.check("sign in, German");
    await v.type("E-Mail-Adresse", "keine Adresse");
    await v.type("Passwort", "x");
    await v.enter();
    await v.refused("E-Mail-Adresse", "Das ist keine E-Mail-Adresse.");
    await v.type("E-Mail-Adresse", "niemand@example.com");
    await v.type("Passwort", "nicht dieses");
    await v.enter();
    await v.reads("Die E-Mail-Adresse oder das Passwort stimmt nicht.");
    await v.open("/sign-up");
    await v.arrive("Konto anlegen");
    await speaksGerman(v);
    await v.type("Passwort", "kurz");
    await v.press("Konto anlegen");
    await v.refused("Name", "Bitte füllen Sie das aus.");
    await v.reads("Verwenden Sie mindestens 8 Zeichen.");
    await signUp(v, `ada-${look.name}@example.com`, german);
    await v.arrive("Ihr Konto");
    await v.reads("Dieses Gerät");
    await speaksGerman(v);
    await v.check("account, German");
    await v.press("Namen ändern");
    await v.type("Name", "Grace");
    await v.enter();
    await v.reads("Ihr Name ist geändert.");
    await v.press("Authenticator-App einrichten");
    await v.type("Jetziges Passwort", password);
    await v.enter();
    await v.reads("Scannen Sie das mit Ihrer Authenticator-App");
    await speaksGerman(v);
    await v.press("Konto löschen …");
    await v.reads("Ihr Konto löschen?");
    await speaksGerman(v);
    await v.check("dialog, German");
    await v.page.keyboard.press("Escape");
    await v.press("Abmelden");
    await v.reads("Sie sind abgemeldet.");
    await v.open("/verify?error=TOKEN_EXPIRED");
    await v.reads("Dieser Link ist abgelaufen.");
    await speaksGerman(v);
    v.content();
    await v.leave();
  });
}

test("the switch: at once, kept in the browser and with the account, and sent along", async () => {
  const v = await Visitor.enter(browser, server.base, looks[2], "ja-JP");
  const sent = [];
  v.page.on("request", (r) => { if (r.url().includes("/api/auth/")) sent.push(r.headers()["accept-language"]); });
  await v.open("/sign-up");
  await v.arrive("Create an account");
  await v.tab("Language");
  await v.page.keyboard.type("Fr");
  await v.shows("Créer un compte");
  assert.equal((await v.focus()).name, "Langue");
  await v.check("sign up, French");
  sent.length = 0;
  await signUp(v, "switch@example.com", { name: "Nom", email: "Adresse e-mail", password: "Mot de passe", create: "Créer le compte" });
  await v.arrive("Votre compte");
  assert.deepEqual([...new Set(sent)], ["fr"]);
  await v.page.getByLabel("Langue").selectOption("it");
  await v.shows("Il Suo account");
  await v.until("the choice to be kept", async () => (await v.session()).user.locale === "it");

  for (const [language, heading] of [["es", "Su cuenta"], ["fr", "Votre compte"], ["de", "Ihr Konto"], ["it", "Il Suo account"]]) {
    await v.page.locator("#language").selectOption(language);
    await v.shows(heading);
    await v.check(`account, ${language}`); // what a button is called must hold what stands on it, too
  }
  await v.until("the last choice to be kept", async () => (await v.session()).user.locale === "it");
  await v.open("/account");
  await v.arrive("Il Suo account");
  const catalogues = await v.page.evaluate(() => performance.getEntriesByType("resource").map((e) => e.name).filter((n) => n.includes("/text-")).length);
  assert.equal(catalogues, 1);

  // Elsewhere, in a browser that speaks English: after signing in, the account's language.
  const w = await Visitor.enter(browser, server.base, looks[0], "en-US");
  await w.open("/sign-in");
  await w.arrive("Sign in");
  await w.type("Email address", "switch@example.com");
  await w.type("Password", password);
  await w.enter();
  await w.arrive("Il Suo account");
  w.content();
  v.content();
  await Promise.all([w.leave(), v.leave()]);
});

test("without a script, and at no address: the browser's language", async () => {
  const get = async (path) => (await fetch(server.base + path, { headers: { "accept-language": "es, en;q=0.5" } })).text();
  assert.match(await get("/sign-in"), /Hace falta JavaScript/);
  assert.match(await get("/nothing-here"), /Página no encontrada/);
});
