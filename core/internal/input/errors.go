package input

// Error is what a client is told.
type Error struct {
	Status  int
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Is compares codes, so that errors.Is works with an *Error that has only a Code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

const (
	// MaxDepth is how deep objects and arrays may be nested in a body.
	MaxDepth = 32
	// MaxMembers is how many members and items a body may have in all, and how many
	// parameters a query may have.
	MaxMembers = 2000
	// maxBody keeps offsets small, whatever the host allows; in bytes.
	maxBody = 64 << 20
	// maxMessage bounds a validation message, in bytes: issues beyond it are left out, or
	// a small body with long names could ask for a huge answer.
	maxMessage = 16 << 10
)

const (
	codeBadRequest = "BAD_REQUEST"
	codeMediaType  = "UNSUPPORTED_MEDIA_TYPE"
	codeValidation = "VALIDATION_ERROR"
	codeTooLarge   = "PAYLOAD_TOO_LARGE"
	codeTooDeep    = "JSON_TOO_DEEP"
)

var (
	errSyntax    = &Error{400, codeBadRequest, "Invalid JSON in request body"}
	errDuplicate = &Error{400, codeBadRequest, "Duplicate key in request body"}
	errUTF8      = &Error{400, codeBadRequest, "Invalid UTF-8 in request body"}
	errSurrogate = &Error{400, codeBadRequest, "Unpaired surrogate in request body"}
	errNUL       = &Error{400, codeBadRequest, "Null character in request body"}
	errQuery     = &Error{400, codeBadRequest, "Invalid character in query"}
	errPath      = &Error{400, codeBadRequest, "Invalid character in path"}
	errNumber    = &Error{400, codeBadRequest, "Number out of range in request body"}
	errBody      = &Error{413, codeTooLarge, "Request body is too large"}
	errDepth     = &Error{413, codeTooDeep, "Request body is nested too deeply"}
	errMembers   = &Error{413, codeTooLarge, "Request body has too many members"}
	errParams    = &Error{413, codeTooLarge, "Query has too many parameters"}
)

// Invalid is the error for one rule that a handler checks itself, as the decoder would
// report it. where is a dotted path that begins with body or query ("body.role"), message
// says what is wrong ("Invalid input").
func Invalid(where, message string) *Error {
	return &Error{400, codeValidation, "[" + where + "] " + message}
}
