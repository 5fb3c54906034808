package contract

import (
	"context"
	"time"
)

// Message is one mail to one person, before it is rendered. What it says is the
// template's business; what it carries is data.
//
// A Message holds live secrets (URL, Token, OTP). It must never be logged; an
// implementation that keeps it (a queue, a retry) must keep it encrypted.
type Message struct {
	// Template names the text, for instance "verify-email" or "reset-password".
	Template string `json:"template"`
	// To is the recipient's address, a bare RFC 5321 addr-spec.
	To string `json:"to"`
	// User is who the mail is about; zero where nobody is known yet.
	User MessageUser `json:"user"`
	// URL is the link that the recipient may follow; empty if there is none.
	URL string `json:"url,omitempty"`
	// Token is the secret inside URL, for apps that build their own links.
	Token string `json:"token,omitempty"`
	// OTP is the code the recipient types; empty if there is none.
	OTP string `json:"otp,omitempty"`
	// NewEmail is the wanted address in "change-email".
	NewEmail string `json:"newEmail,omitempty"`
	// Language is what the recipient reads, as far as it is known: a value of Accept-Language
	// (RFC 9110 section 12.5.4), the most wanted first. MatchLanguage reads it.
	Language string `json:"language,omitempty"`
	// Data holds what a plugin's own template needs beyond the above.
	Data map[string]string `json:"data,omitempty"`
	// Texts are the texts that the message's plugin brings, one for each language. Core adds
	// them as it hands a message to the mailer, so that a mailer which writes mail itself
	// knows the messages of every plugin. They are not kept with a message that waits.
	Texts []MailTemplate `json:"texts,omitempty"`
	// ExternalID is the same for every retry of one message, so that a receiver can
	// drop duplicates.
	ExternalID string `json:"externalId,omitempty"`
	// ExpiresAt is when what the message carries is over: it is not sent any more then. Set
	// it to the end of the life of the link or code.
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
}

// MessageUser is what a template may say about a user.
type MessageUser struct {
	ID    string `json:"id,omitempty"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	// Locale is the language that the user has chosen, for instance "de-CH"; empty if none.
	Locale string `json:"locale,omitempty"`
}

// Mailer hands messages to the outside world. Send is called from the job worker,
// never while a request waits, and is retried when it returns an error: it must give
// up when ctx ends, and should treat a repeated ExternalID as the same message. It is not
// retried when the error is [Permanent].
// An error must not contain the message's URL, Token or OTP.
type Mailer interface {
	Send(ctx context.Context, m Message) error
}

// MailTemplate is the text of one message in one language. Subject and Text are
// text/template, HTML is html/template and the content of a page that the mailer frames.
// All three see what adapters/mailtext.View holds ({{.Name}}, {{.App}}, {{.URL}}, {{.OTP}},
// {{.Data.KEY}}, ...) and may use its functions name and duration. ReadMails reads them from files.
type MailTemplate struct {
	// Name is letters, digits, "-" and "_", for instance "magic-link".
	Name string `json:"name"`
	// Language is a primary subtag of RFC 5646 in lower case, for instance "de"; empty is
	// English, which every message must have.
	Language string `json:"language,omitempty"`
	Subject  string `json:"subject"`
	Text     string `json:"text"`
	HTML     string `json:"html"`
}
