// Package mailtext turns a [contract.Message] into a subject, a plain text and an HTML
// body. The mailers that write mail themselves (adapters/smtp, adapters/logmail) share it.
//
// A template NAME is two files:
//
//   - NAME.txt, read by text/template. Its first line is "Subject: ...", its second is
//     empty, the rest is the plain text.
//   - NAME.html, read by html/template, so every variable is escaped for its place. It is
//     the content of the page that layout.html frames with {{template "content" .}}.
//
// NAME.de.txt and NAME.de.html are the same in German. Both see a [View].
// {{name .Data.KEY}} prints a value of Data as a name is printed: not at all if a mail
// program would make a link of it. Use it for what users can choose, such as the name of an
// organization. {{duration .Data.KEY}} prints a number of seconds as "5 minutes", in the
// language of the text.
//
// The messages of core are built in, in English, German, French, Italian and Spanish, all
// in the formal address (Sie, vous, Lei, usted). Those of plugins come with each message
// ([contract.Message].Texts). The text is chosen among the languages that a message has
// by what its recipient reads ([contract.MatchLanguage]), then [Options.Language], then English.
//
// [Options.Templates] and [Options.Dir] replace texts and add others. NAME.de.txt replaces the
// German text alone. NAME.txt replaces the message as a whole: what the app has to say there
// (a support address, a condition) would be missing in the built-in text of another language,
// so none of those is sent any more. It is in Options.Language. Text and HTML are always
// of one source, so that no mail says one thing in its text and another in its HTML.
//
// Threats. Whoever signs up chooses a name and somebody else's address, so what a mail
// says about a user is hostile text:
//
//   - Control and invisible formatting characters are taken out of every variable, so a
//     value cannot begin a header, a paragraph or a right-to-left run.
//   - A name that mail programs would turn into a link ("Visit evil.example") is left out.
//   - A URL must be absolute, http or https, without user information.
//   - The built-in HTML carries the URL in href only and loads nothing from elsewhere.
//   - No error repeats a message's URL, token or code.
//
// Addresses are checked by [CheckAddress], which every mailer that speaks to a mail
// server calls before it opens a connection (CVE-2025-59937).
package mailtext
