// Package smtp sends mails through an SMTP server (RFC 5321), one connection for each
// mail, as plain text and HTML, with the texts of adapters/mailtext.
//
// Flow of one Send:
//
//  1. The recipient is checked and the mail rendered, before any connection.
//  2. Connect; TLS as Options.TLS says; sign in if there is a Username.
//  3. MAIL, RCPT, DATA. From the server's 250 on the mail is delivered: whatever fails
//     afterwards is not reported, since the retry would be a second mail.
//
// A retry of the same message has the same Message-ID and the same body, so that servers
// and mail programs can recognise what was delivered twice because the 250 was lost.
//
// Threats:
//
//   - Addresses: anything but a bare addr-spec is refused, so that no recipient, parameter
//     or command can be smuggled into MAIL or RCPT (CVE-2025-59937).
//   - The line: TLS 1.2 or newer with a verified certificate is mandatory by default, and
//     a server that does not offer it is an error. A password never leaves without TLS,
//     except to this machine.
//   - The server: its replies may quote the mail, so errors keep their code only; it may
//     send at most 256 KiB in one connection; Timeout and the context end it at any point.
//   - The headers name no program, host or user: EHLO and Message-ID carry the domain of
//     From.
package smtp
