// Package pages is the website of the program: sign-up, sign-in, address
// verification, forgotten passwords and the account page.
//
// The pages are one more client of the wire under the base path; they know nothing
// that another client could not know. They are plain HTML, CSS and ES modules,
// embedded in the binary, without a build step and without anything from another
// host. The package answers paths with bytes and knows no server: a mount calls
// [Pages.Serve] for GET and HEAD and compares [Match] for a 304.
//
// # What is served
//
// Below the prefix, and nothing else:
//
//	/ /sign-in /sign-up /forgot /reset /verify /challenge /account /p/<id>   the shell
//	/a/<hash>/<file>     its parts; the hash is over the contents of all of them
//	/m/<module>          modules, ours and those of plugins
//
// # What the pages ask
//
// The shell reads GET <base>/features once:
//
//	{"plugins": ["email-password"],
//	 "entries": [{"id": "email-password", "kind": "sign-in", "title": "Email and password",
//	              "module": "email-password.js", "order": 10}],
//	 "options": {"email-password": {"minPasswordLength": 8, "maxPasswordLength": 128,
//	              "signUp": true, "resetPassword": true, "requireEmailVerification": false},
//	             "core": {"changeEmail": true, "deleteUser": true, "verifyEmail": true}}}
//
// A kind says where an entry is shown: "sign-in" and "sign-up" on these pages,
// "account" as a section of the account page, "challenge" as a further step when a
// sign-in answers twoFactorRedirect, "page" as a page of its own at /p/<id>, to which a
// link stands in the header while somebody is signed in. Entries of one kind are shown in ascending order; one plugin may have entries of several kinds,
// with the same module. The sections for name, address, sessions and deletion belong
// to core and need no entry; an entry with the same id and kind replaces one of them.
// An option that is absent counts as offered; lengths default to 8 and 128.
//
// # Modules
//
// A module is an ES module, alone or with others beside it, that exports
//
//	export async function render(root, ctx) { ... }
//	export const full = true; // of a page that wants the whole width and has an h1 of its own
//
// root is an empty element that the module fills. ctx carries:
//
//	api            get(path, query), post(path, body, {wait}), put(path, body): JSON, or an ApiError
//	               {code, status, message}; wait is in ms. href(path); at(base): the same below another path
//	entry          the entry that is being shown (id, kind, title, module, order)
//	options        the options of the plugin named by entry.id; never null
//	features       the whole answer of /features
//	session        {user, session}, or null where nobody is signed in
//	ui             elements, fields, forms, rows and dialogs (ui.js), styled and labelled
//	appName        as configured
//	navigate       (path, {replace, notice, data}): to a page of the pages, without a reload
//	href           (path): the path with the prefix, for links and callbacks
//	announce       (text): tells a screen reader
//	data           what navigate passed along; never null, lost on reload
//	signedIn       (answer): after any sign-in; further steps, session, next page
//	refreshSession (): reads the session again
//	signedOut      (text, back): leaves for /sign-in when the session is no more
//	query          URLSearchParams of the page
//	optionsOf      (id): the options of another plugin, or of "core"
//	t              (text, values): a text in the language of the page, below
//	tn             (text, nodes): the same with elements in it; answers nodes and text for append
//	language       "en", "de", "fr", "it" or "es"
//	date           (value, style): a time as people of the language write it (Intl.DateTimeFormat)
//	title          (entry): the title of an entry in the language of the page
//	style          (name): adds a style sheet of the shell's parts; a promise
//	onMove         (fn): calls fn in the place of a new render when "back" or "forward" stays on the path
//
// What a module keeps for a visit is in sessionStorage under names that begin with "sallyport:":
// it is erased with the sign-out.
//
// # Languages
//
// A text stands in the code in English and is looked up by it: ctx.t("Show {label}",
// {label}). What a catalogue lacks is shown in English. Values are put in as text; where a
// text counts, the value is n and the catalogue has the forms of Intl.PluralRules. tn takes
// elements as values: ctx.tn("New here? {link}", {link: h("a", ...)}).
//
// Our own modules, an inbox for instance, add their texts and the title of their
// core.PageEntry to static/text-de.js, -fr, -it and -es, a line each; what counts ({n}) goes
// into text-en.js, too. TestCatalogues names what is missing, what nothing uses, and texts
// with other values than the English one; it reads t, tn and k with a literal in double
// quotes, so a text must not be put together. Texts outside of functions are marked with k
// and translated where they are used, since the language may change.
//
// A module of a third party brings its own and needs nothing of ours:
//
//	export const texts = { de: { "Notes": "Notizen" }, fr: { ... } };
//
// Its texts, its entry's title among them, are looked for there first. The language changes
// without a reload: render runs again. Requests by ctx.api carry it in Accept-Language.
// What is in the documents themselves, and the page for unknown paths, is in documents.go.
//
// A module must build its elements with text, never with markup, and must not set
// inline styles or handlers: the Content-Security-Policy refuses them. HTML of strangers is
// shown in a sandboxed frame alone (m/mail-body.js).
package pages
