package vault

import (
	"encoding/json"

	"github.com/sallyport-auth/sallyport/core"
)

// oldPath is where clients of the old system look.
const oldPath = "/api/v1/me/encryption-vault"

// old serves an endpoint under its old path too. What differs there: failures are
// {"error": text, "code": CODE}, and a rotation need not name the version that it expects.
func old(e core.Endpoint, method, path string) core.Endpoint {
	a := core.Alias{Method: method, Path: oldPath + path, Failure: oldFailure}
	if path == "/rotate" {
		a.Request = func(_ *core.Call, in *core.AliasInput) error {
			if in.Body["expectedVersion"] == nil {
				in.Body["expectedVersion"] = json.RawMessage("0")
			}
			return nil
		}
	}
	return e.Alias(a)
}

// oldFailure has the old system's one code for bad input, and its own codes for the rest.
func oldFailure(f core.Failure) core.Response {
	code := f.Code
	switch code {
	case core.ErrValidation.Code, core.ErrBadRequest.Code, ErrBadRequest.Code, ErrWrongKey.Code:
		code = "BAD_REQUEST"
	}
	body, err := json.Marshal(map[string]string{"error": f.Message, "code": code})
	if err != nil { // two texts: it cannot fail
		body = []byte(`{"error":"","code":"INTERNAL_SERVER_ERROR"}`)
	}
	return core.Response{Status: f.Status, Header: []core.Field{{Name: "Content-Type", Value: "application/json"}}, Body: body}
}
