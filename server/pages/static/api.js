// The wire: JSON under the base path, on this origin, with its cookies.
import { language } from "./language.js";
import { readable } from "./errors.js";

const timeout = 15_000; // ms; the server's own deadline is shorter

/** A refusal: code of the wire, HTTP status (0 where nothing answered), words to show. */
export class ApiError extends Error {
  constructor({ code = "", status = 0, message = "", retryAfter = 0 }) {
    super(readable({ code, status, message, retryAfter }));
    Object.assign(this, { name: "ApiError", code, status, retryAfter });
  }
}

/**
 * createApi answers a client of the server at base, for instance "/api/auth".
 * unauthorized() is awaited after each 401, before the caller sees the error. wait is how
 * long an answer may take, in ms. at(base) is a client of what else this origin serves.
 */
export function createApi(base, unauthorized) {
  async function send(method, path, { query, body, wait = timeout } = {}) {
    const url = new URL(base + path, location.origin);
    for (const [k, v] of Object.entries(query ?? {})) url.searchParams.set(k, v);
    let res, text;
    try {
      res = await fetch(url, {
        method,
        credentials: "same-origin",
        cache: "no-store",
        redirect: "error", // an answer for scripts is never a redirect
        headers: { accept: "application/json", "accept-language": language, ...(body !== undefined && { "content-type": "application/json" }) },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(wait),
      });
      text = await res.text();
    } catch (e) {
      throw new ApiError({ code: e?.name === "TimeoutError" ? "TIMEOUT" : "OFFLINE" });
    }
    const answer = parse(text);
    if (res.ok) return answer;
    if (res.status === 401) await unauthorized();
    throw new ApiError({
      status: res.status,
      code: typeof answer?.code === "string" ? answer.code : "",
      message: typeof answer?.message === "string" ? answer.message : "",
      retryAfter: seconds(res.headers.get("x-retry-after") ?? res.headers.get("retry-after")),
    });
  }
  return {
    get: (path, query) => send("GET", path, { query }),
    post: (path, body = {}, { wait } = {}) => send("POST", path, { body, wait }),
    put: (path, body = {}) => send("PUT", path, { body }),
    href: (path) => base + path,
    at: (other) => createApi(other, unauthorized),
  };
}

function parse(text) {
  try { return JSON.parse(text); } catch { return null; }
}

/** Retry-After as seconds (RFC 9110, section 10.2.3: a number or a date); 0 if neither. */
function seconds(value) {
  if (!value) return 0;
  if (/^\d{1,6}$/.test(value)) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? 0 : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}
