// Package i18n puts the texts of errors into the language of whoever asked: English, German,
// French, Italian and Spanish, and what the options add.
//
// An answer that says no keeps its code, status and headers. Its "message" is translated,
// and "originalMessage" is the English text, as Better Auth's plugin of the same name writes
// it. Answers that say yes, redirects and answers without a body are left alone, and so is
// all that is logged. An error whose English text says more than its code (VALIDATION_ERROR
// names the member at fault) has no translation of ours; options may give it one.
//
// The language is the first that one of the ways finds: the header Accept-Language
// (RFC 9110, section 12.5.4), a cookie, the field of the user that the session belongs to.
// A tag is looked for as it is, then by its primary subtag: "de-CH" finds "de".
//
// The plugin adds the field "locale" to the user, unless the app has one of that name:
// clients set it with sign-up and update-user, messages and these texts go by it.
//
// Threats: a header or a cookie chooses among the languages that there are and gets into no
// answer; the work on it is bounded; texts are constants, so nothing that somebody sent is
// in one; with rememberAtSignUp, a sign-up answers the same whether or not the address is
// known.
package i18n
