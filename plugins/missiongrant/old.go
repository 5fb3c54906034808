package missiongrant

import (
	"encoding/json"

	"github.com/sallyport-auth/sallyport/core"
)

// issueEndpoint is Issue, also under the old system's path. There a grant is of version 1
// unless the request names another.
func (p *Plugin) issueEndpoint() core.Endpoint {
	return Issue.Handle(p.issue).Alias(core.Alias{Method: "POST", Path: "/api/v1/me/ai-mission-grant", Failure: oldFailure,
		Request: func(_ *core.Call, in *core.AliasInput) error {
			if in.Body["version"] == nil {
				in.Body["version"] = json.RawMessage(`"v1"`)
			}
			return nil
		}})
}

// auditEndpoint is Audit, also under the old system's path.
func (p *Plugin) auditEndpoint() core.Endpoint {
	return Audit.Handle(p.audit).Alias(core.Alias{Method: "GET", Path: "/api/v1/me/ai-audit", Failure: oldFailure})
}

// oldFailure is {"error": text, "code": CODE}, with the old system's code for bad input.
func oldFailure(f core.Failure) core.Response {
	code := f.Code
	switch code {
	case core.ErrValidation.Code, core.ErrBadRequest.Code, ErrBadRequest.Code:
		code = "BAD_REQUEST"
	}
	body, err := json.Marshal(map[string]string{"error": f.Message, "code": code})
	if err != nil { // two texts: it cannot fail
		body = []byte(`{"error":"","code":"INTERNAL_SERVER_ERROR"}`)
	}
	return core.Response{Status: f.Status, Header: []core.Field{{Name: "Content-Type", Value: "application/json"}}, Body: body}
}
