// Writes zod.json: what better-call and zod answer to each body and query, for the
// schemas that zod_test.go has as Go structs under the same names.
//   node zod.mjs <directory of node_modules> > zod.json
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
const modules = resolve(process.argv[2]);
const require = createRequire(join(modules, "x.js"));
const z = require("zod");
const { createInternalContext } = await import(pathToFileURL(join(modules, "better-call/dist/context.mjs")));

const schemas = {
  signUp: z.object({ name: z.string(), email: z.email(), password: z.string().nonempty(), image: z.string().optional(), callbackURL: z.string().optional(), rememberMe: z.boolean().optional() }).and(z.record(z.string(), z.any())),
  signIn: z.object({ email: z.string(), password: z.string(), callbackURL: z.string().optional(), rememberMe: z.boolean().default(true).optional() }),
  record: z.record(z.string(), z.any()),
  loose: z.looseObject({ a: z.string() }),
  optional: z.object({ a: z.string(), b: z.boolean().optional() }).optional(),
  strings: z.object({ min: z.string().min(3), max: z.string().max(2), both: z.string().min(2).max(4), trim: z.string().trim().min(1), email: z.email().min(8), url: z.url(), nullable: z.string().nullable(), nullish: z.string().nullish(), def: z.string().default("x") }),
  numbers: z.object({ int: z.number().int().min(1).max(100), float: z.number().min(0.5), opt: z.number().optional(), any: z.number().int().optional() }),
  enums: z.object({ one: z.enum(["x"]), two: z.enum(["otp", "totp"]).default("totp"), opt: z.enum(["a", "b"]).optional() }),
  arrays: z.object({ s: z.array(z.string()), bounded: z.array(z.number()).min(2).max(3), single: z.union([z.string(), z.array(z.string())]), nested: z.array(z.array(z.boolean())).optional() }),
  nested: z.object({ s: z.object({ a: z.string(), list: z.array(z.object({ c: z.number() })) }), o: z.object({ x: z.string().optional(), y: z.object({ z: z.string() }).optional() }).optional(), r: z.object({ a: z.string() }).and(z.record(z.string(), z.any())).optional() }),
  records: z.object({ m: z.record(z.string(), z.string()), n: z.record(z.string(), z.array(z.string())).optional() }),
  anything: z.object({ response: z.any(), opt: z.any().optional() }),
  coerce: z.object({ b: z.coerce.boolean(), s: z.coerce.string().min(2), ob: z.coerce.boolean().optional(), os: z.coerce.string().optional() }),
  query: z.object({ token: z.string(), callbackURL: z.string().optional(), flag: z.coerce.boolean().optional(), list: z.array(z.string()).optional(), n: z.number().optional(), mail: z.email().optional() }),
};

const tops = [undefined, "null", "[]", "1", "0", "true", '"x"', '""', "{}", "[1]", '{"unknown":1}', "-1e5"];
const any = ["null", "true", "false", "0", "1", "-1", "1.5", "1e2", "1.0", "9007199254740991", "9007199254740992", "-9007199254740992", "1e300", '""', '"a"', '"ab"', '"abc"', '"abcd"', '"abcde"', '"a@b.co"', '"long@example.com"', '"x"', '"otp"', '"😀"', '"😀😀😀"', '"\\u00e9"', '" "', '" a "', '"http://a"', '"mailto:a"', '"http://a b"', '" http://a\\t"',
  "[]", '["a"]', '["a",1]', '["a","b","c"]', "[1,2]", "[1,2,3,4]", '[1,"2"]', "[[true],[false,1],2]", "[null]", "[[]]", "{}", '{"a":"1"}', '{"a":1}', '{"length":2}', '{"length":9}', '{"length":null}', '{"length":"3"}', '{"length":[]}', '{"a":"1","list":[]}', '{"a":"1","list":[{"c":1},{"c":"x"},{},3]}', '{"x":null,"y":{}}', '{"y":{"z":"q"},"x":"p"}', '{"a":["x"],"b":["y",2],"c":"z"}', '{"":1}', '{"__proto__":{"a":1},"b":2}'];
const bodies = {
  signUp: ['{"name":"N","email":"e","password":"","image":null,"rememberMe":"yes","x":1}', '{"email":"a@b.co","password":[]}', '{"Name":"N","NAME":"N","name":1,"email":"a@b.co","password":"p"}', '{"name":"N","email":"a@b.co","password":"p","__proto__":{"a":1},"x":{"y":[1]}}'],
  signIn: ['{"email":1,"password":2,"callbackURL":3,"rememberMe":4}', '{"email":"x","password":"y"}'],
  strings: ['{"min":"abc","max":"ab","both":"abc","trim":"x","email":"long@example.com","url":"http://a","nullable":null}'],
};
const queries = ["", "token=a", "token=", "token", "token=a&token=b", "token=a&flag=", "token=a&flag=false&flag=true", "token=a&list=x", "token=a&list=x&list=y", "token=a&n=1", "token=a&mail=a%40b.co", "token=a&mail=a", "tok%65n=a+b", "token=%zz", "&&token=a&&", "TOKEN=a", "callbackURL=a&callbackURL=b&mail=x&n=1"];

// A body that fits, so that only the member under test is reported.
const base = {
  signUp: { name: "N", email: "a@b.co", password: "p" }, signIn: { email: "e", password: "p" }, loose: {}, optional: { a: "a" },
  strings: { min: "abc", max: "ab", both: "abc", trim: "x", email: "long@example.com", url: "http://a", nullable: null },
  numbers: { int: 1, float: 1 }, enums: { one: "x" }, arrays: { s: [], bounded: [1, 2], single: "x" },
  nested: { s: { a: "1", list: [] } }, records: { m: {} }, anything: { response: 1 }, coerce: { b: 1, s: "ab" },
};

const run = async (options, context) => {
  try {
    const c = await createInternalContext(context, { options, path: "/" });
    return { value: options.body ? c.body : c.query };
  } catch (e) {
    if (e.body.code !== "VALIDATION_ERROR" || e.statusCode !== 400) throw e;
    return { message: e.body.message };
  }
};
const rows = [];
for (const [schema, s] of Object.entries(schemas)) {
  if (schema === "query") continue;
  const inputs = [...tops, ...(bodies[schema] ?? [])];
  const shape = s.shape ?? s.def?.innerType?.shape ?? s.def?.left?.shape ?? { key: 1 };
  for (const key of Object.keys(shape)) for (const v of any) {
    const { [key]: _, ...others } = base[schema] ?? {};
    const body = `{${JSON.stringify(key)}:${v}${JSON.stringify(others).slice(1).replace(/^(?=.)(?!})/, ",")}`;
    const { value, ...r } = await run({ body: s }, { body: JSON.parse(body), query: {} });
    rows.push({ schema, body, ...r, ...(r.message ? {} : { key, value: value[key] }) });
  }
  for (const body of inputs) rows.push({ schema, body, ...(await run({ body: s }, { body: body === undefined ? undefined : JSON.parse(body), query: {} })) });
}
for (const query of queries) {
  const q = {};
  for (const [k, v] of new URL("http://x/?" + query).searchParams) q[k] = k in q ? [].concat(q[k], v) : v;
  rows.push({ schema: "query", query, ...(await run({ query: schemas.query }, { query: q })) });
}
const emails = ["a@b.co", "a@b", "a.@b.co", ".a@b.co", "a..b@b.co", "a'@b.co", "'a@b.co", "a_b+c-d@b-c.co", "a@-b.co", "a@b-.co", "a@b.c", "a@b.c0", "A@B.CO", "a@b..co", "@b.co", "a@@b.co", "a b@c.co", "ä@b.co", "a@bä.co", " a@b.co", "a@b.co\n", "a@1.co", "a@b.co.", "a'.b@c.co", "-@b.co", "'.a@b.co", "", "@", "a@", "a@.co", "a@b.co@c.de", "a\"b@c.co", "a@[1.2.3.4]", "a@1.2.3.4", "a.b.c@d.e.fg", "+@b.co", "_@b.co", "'@b.co", "a/b@c.co", "a@b_c.de", "a@b.c-d", "a@b.xn--p1ai", "a@b.рф", "a@b.co\0", "a".repeat(300) + "@b.co"];
console.log(JSON.stringify({ rows, emails: Object.fromEntries(emails.map((e) => [e, z.email().safeParse(e).success])) }, null, 0).replaceAll('{"schema"', '\n{"schema"'));
