package v1

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

// Failure is the form of every failure.
type Failure struct {
	Error         core.Class `json:"error"`
	Message       string     `json:"message"`
	Status        int        `json:"status"`
	RetryAfterSec int        `json:"retryAfterSec,omitempty"`
}

// envelope writes a failure. Its status is the class's, unless HTTP itself has a more
// exact one for what was wrong with the request.
func envelope(f core.Failure) core.Response {
	out := Failure{f.Class, f.Message, f.Class.Status(), int(f.RetryAfter / time.Second)}
	switch f.Error.Status {
	case http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		out.Status = f.Error.Status
	}
	if out.Message == "" {
		out.Message = http.StatusText(out.Status)
	}
	return core.Response{Status: out.Status, Header: contentJSON(), Body: encode(out)}
}

// silent is the answer to a request for a reset link: whatever is wrong with the request,
// it looks like any other. What has nothing to do with it is said: who is told that a
// mail was sent would wait for one.
func silent(f core.Failure) core.Response {
	if f.Status >= 500 || f.Class == core.ClassRateLimited {
		return envelope(f)
	}
	return core.Response{Status: 200, Header: contentJSON(), Body: []byte(`{"success":true}`)}
}

func contentJSON() []core.Field {
	return []core.Field{{Name: "Content-Type", Value: "application/json"}}
}

// encode writes what has a JSON form.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("v1: " + err.Error())
	}
	return b
}
