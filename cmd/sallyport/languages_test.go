package main

import (
	"testing"

	"github.com/sallyport-auth/sallyport/plugins/i18n"
)

// notForUsers are the codes without a translation, and why.
var notForUsers = map[string]string{
	"VALIDATION_ERROR":                                      "the English text names what is wrong",
	"FIELD_NOT_ALLOWED":                                     "the English text names the field",
	"MISSING_FIELD":                                         "the English text names the field",
	"BAD_REQUEST":                                           "the English text says what cannot be read",
	"UNSUPPORTED_MEDIA_TYPE":                                "the English text names the types",
	"MAIL_RECIPIENTS_INVALID":                               "the English text names the recipient",
	"GRANT_BAD_REQUEST":                                     "a fault of the app's",
	"VAULT_BAD_REQUEST":                                     "a fault of the app's",
	"BODY_MUST_BE_AN_OBJECT":                                "a fault of the app's",
	"JSON_TOO_DEEP":                                         "a fault of the app's",
	"METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED":             "a fault of the app's",
	"INVALID_TEAM_ID":                                       "a fault of the app's",
	"ORGANIZATION_ID_IS_REQUIRED":                           "a fault of the app's",
	"RESOLVED_USER_INVALID":                                 "a fault of the app's",
	"INVALID_CALLBACKURL_EXPECTED_A_STRING":                 "a fault of the app's",
	"INVALID_CURSOR":                                        "a fault of the app's",
	"INVALID_ERRORCALLBACKURL_EXPECTED_A_STRING":            "a fault of the app's",
	"INVALID_NEWUSERCALLBACKURL_EXPECTED_A_STRING":          "a fault of the app's",
	"INVALID_REDIRECTURL_EXPECTED_A_STRING":                 "a fault of the app's",
	"MISSING_REQUIRED_PARAMETER_ID":                         "a fault of the app's",
	"MISSING_SESSION_HEADERS_OR_EMAIL_QUERY_PARAMETER":      "a fault of the app's",
	"USER_EMAIL_CANNOT_BE_PASSED_FOR_CLIENT_SIDE_API_CALLS": "a fault of the app's",
	"JWT_KEY_UNUSABLE":                                      "for operators",
	"MAIL_HOOK_NOT_CONFIGURED":                              "for other services",
}

// TestEveryErrorInEveryLanguage goes through the codes of the program.
func TestEveryErrorInEveryLanguage(t *testing.T) {
	auth := described(t)
	p, seen := i18n.New(i18n.Options{}), map[string]bool{}
	for _, e := range auth.Errors() {
		seen[e.Code] = true
		if e.Message == "" {
			t.Errorf("%s has no English text", e.Code)
		}
		for _, language := range []string{"de", "fr", "it", "es"} {
			has, excused := p.Translate(e.Code, reader(language)) != "", notForUsers[e.Code] != ""
			if has == excused {
				t.Errorf("%s (%s): %q: translated %v, listed as not for users %v", e.Code, language, e.Message, has, excused)
			}
		}
	}
	for code := range notForUsers {
		if !seen[code] {
			t.Errorf("%s is listed, and nobody declares it", code)
		}
	}
	for _, code := range p.Codes() {
		if !seen[code] && code != "REQUEST_TIMEOUT" { // the server's own
			t.Errorf("%s is translated, and nobody declares it", code)
		}
	}
}

type reader string

func (r reader) Header(string) string    { return string(r) }
func (r reader) UserField(string) string { return "" }
