// The language of the pages. A text is looked up by its English sentence, which stands in
// the code: what a catalogue lacks is shown in English, never as a name.

/** The languages that there are, by their own names. */
export const languages = { en: "English", de: "Deutsch", fr: "Français", it: "Italiano", es: "Español" };

/** The language that is shown. */
export let language = "en";

let texts = {}, plural = new Intl.PluralRules("en");
const kept = "sallyport-language";

/** Loads a language; one that there is not leaves things as they are. Answers whether it changed. */
export async function speak(tag) {
  const next = known(tag);
  if (!next || (next === language && document.documentElement.dataset.spoken)) return false;
  texts = (await import(`./text-${next}.js`)).default;
  language = next;
  plural = new Intl.PluralRules(next);
  Object.assign(document.documentElement, { lang: next, dir: "ltr" });
  document.documentElement.dataset.spoken = "yes";
  return true;
}

/** The language for a tag such as "de-CH" (RFC 4647, section 3.4), or nothing. */
function known(tag) {
  const primary = typeof tag === "string" ? tag.toLowerCase().split("-")[0] : "";
  return Object.hasOwn(languages, primary) ? primary : null;
}

/** What was chosen on the page, in this browser. */
export function chosen() {
  try { return known(localStorage.getItem(kept)); } catch { return null; }
}

export function choose(tag) {
  try { localStorage.setItem(kept, tag); } catch { /* it lasts until the page is closed */ }
}

/** The first language of the browser that there is. */
export const preferred = () => (navigator.languages ?? []).map(known).find(Boolean) ?? "en";

/** Marks an English text that t gets to see later. */
export const k = (text) => text;

/**
 * The text in the language shown: t("Show {label}", {label}). Where a catalogue has several
 * forms, the number n chooses (Intl.PluralRules). Values are put in as text, once.
 */
export const t = (text, values) => fill(lookup(texts, text, values), values);

/** t for texts with elements in them: tn("New here? {link}", {link: h("a", ...)}). Answers nodes and text. */
export const tn = (text, nodes) => split(lookup(texts, text, nodes), nodes);

/** t and tn that ask another catalogue first, {de: {"English": "Deutsch"}}: a module's own. */
export function translator(own) {
  const find = (text, values) => lookup(Object.hasOwn(own?.[language] ?? {}, text) ? own[language] : texts, text, values);
  return { t: (text, values) => fill(find(text, values), values), tn: (text, nodes) => split(find(text, nodes), nodes) };
}

/** A label inside a sentence: in small letters where the language does so. */
export const inside = (label) => (language === "de" ? label : label.charAt(0).toLocaleLowerCase(language) + label.slice(1));

/** A time as people of the language write it. */
export const date = (value, style = { dateStyle: "medium", timeStyle: "short" }) => new Intl.DateTimeFormat(language, style).format(new Date(value));

function lookup(catalogue, text, values) {
  const found = Object.hasOwn(catalogue, text) ? catalogue[text] : text;
  return typeof found === "string" ? found : found[plural.select(values?.n)] ?? found.other;
}

const fill = (text, values) => (values ? split(text, values).join("") : text);

function split(text, values) {
  return text.split(/(\{[a-z]+\})/).map((part) => {
    const name = part.slice(1, -1);
    return part.startsWith("{") && Object.hasOwn(values ?? {}, name) ? values[name] : part;
  });
}
