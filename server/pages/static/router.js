// Paths without reloading: links, the address bar, back and forward.

/**
 * known(path) answers the route of a path below the prefix, or null. show(route, path,
 * current) shows it; current() is false once another route was asked for. moved() may
 * take "back" and "forward" for a move within what is shown, and then answers true.
 */
export function createRouter({ prefix, known, show, moved }) {
  let turn = 0;

  /** The path of a URL below the prefix with its query, and its route; null if not ours. */
  function ours(url) {
    if (url.origin !== location.origin || !url.pathname.startsWith(prefix)) return null;
    const path = url.pathname.slice(prefix.length) || "/";
    const route = known(path);
    return route && { route, path: path + url.search };
  }

  function render() {
    const to = ours(new URL(location.href));
    if (!to) { location.reload(); return undefined; }
    const mine = ++turn;
    return show(to.route, to.path, () => mine === turn);
  }

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest?.("a[href]");
    if (!link || link.target || link.hasAttribute("download")) return;
    const url = new URL(link.href);
    if (url.hash || !ours(url)) return;
    event.preventDefault();
    history.pushState(null, "", url);
    render();
  });
  addEventListener("popstate", () => { if (!moved()) render(); });

  return {
    start: render,
    go(path, replace) {
      history[replace ? "replaceState" : "pushState"](null, "", prefix + path);
      return render();
    },
  };
}

/**
 * Where to go after signing in: a path of this origin, or nothing. Other origins,
 * "//host" and schemes are refused, so that a link to the sign-in page cannot send
 * people elsewhere; so is "/.//host", whose path is "//host" once the dots are resolved.
 */
export function safeNext(value) {
  if (!value || !/^\/(?![/\\])/.test(value)) return null;
  try {
    const url = new URL(value, location.origin);
    return url.origin === location.origin && !url.pathname.startsWith("//") ? url.pathname + url.search : null;
  } catch {
    return null;
  }
}
