// Writes globs.json: for each pattern, the samples that Better Auth's wildcardMatch takes.
//   node globs.mjs <directory of the better-auth package> > globs.json
import { pathToFileURL } from "node:url";
import { join, resolve } from "node:path";
const { wildcardMatch } = await import(pathToFileURL(join(resolve(process.argv[2]), "dist/utils/wildcard.mjs")));
const patterns = ["", "*", "**", "***", "?", "??", "a", "a*", "*a", "a?c", "a*b*c", "a.c", "a/b", "a//b", "a/", "/a", "/", "//", "a/*", "a/*/b", "a/**", "a/**/b", "**/b", "**/**", "**/a/**", "a/**/**/b", "a**", "a/**b", "a/b**", "/*", "/**", "/sign-in/*", "/sign-in*", "*://a", "https://*.b", "https://**", "[a]*", "(a|b)*", "a+*", "^a$*", "{1}*", "ä?", "*é", "A*"];
const samples = ["", "a", "b", "aa", "ab", "abc", "a.c", "aXc", "a/c", "axxbxxc", "axxbxx", "aé", "ä", "äx", "é", "😀", "ä😀", "a/b", "a//b", "a\\b", "a///b//", "a/", "a//", "/a", "//a", "/", "//", "\\", "a/x/b", "a/x/y/b", "a/x//y/b/", "x/a/y", "x/b", "b/", "/b", "/sign-in", "/sign-in/", "/sign-in/email", "/sign-in/email/", "/sign-in/a/b", "/sign-inx", "http://a", "https://a.b", "https:/a.b", "https:///a.b", "https://a/x.b", "https://a.b/c/d", "[a]", "[a]x", "(a|b)", "a+", "a+b", "^a$", "{1}", "{1}a", "a\nb", "A", "AB"];
console.log(JSON.stringify({ samples, match: Object.fromEntries(patterns.map((p) => [p, samples.filter(wildcardMatch(p))])) }, null, 1));
