package contract

// Translator says what an error means in the language of whoever asked. A plugin may
// provide one; core asks it for each answer that says no, and for nothing else.
type Translator interface {
	// Translate returns the text for an error's code, or "" where the English one stays.
	// It does no I/O.
	Translate(code string, r Reader) string
}

// Reader is whoever an answer is for, as far as the request tells.
type Reader interface {
	// Header returns the first line of the request's header of that name, or "".
	Header(name string) string
	// UserField returns a field of the user whose session the request has: of the app's or a
	// plugin's. Empty without a session, and for what is no text.
	UserField(name string) string
}
