package nethttp

import (
	"net/http"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
)

// Session reads the session of every request and puts it into its context, where
// core.SessionFrom finds it. Cookies that were renewed go out with the app's answer. A
// request without a session goes on without one.
//
// Whatever keeps the session from being known ends the request with core's answer: 503
// where the database cannot be asked, 403 where a request that may change something
// comes with cookies from an origin that is not trusted. None of them looks like a
// request of nobody.
func Session(auth *core.Auth) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r = load(w, r, auth); r != nil {
				next.ServeHTTP(w, r)
			}
		})
	}
}

// Require is Session for what needs one: without it the answer is 401 with the body that
// every endpoint gives. It may stand behind Session or alone.
func Require(auth *core.Auth) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, ok := core.SessionFrom(r.Context()); !ok {
				if r = load(w, r, auth); r == nil {
					return
				}
			}
			if _, ok := core.SessionFrom(r.Context()); !ok {
				Write(w, auth.Answer(r.Context(), core.ErrUnauthorized))
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// load returns the request with its session, or nil if it has been answered.
func load(w http.ResponseWriter, r *http.Request, auth *core.Auth) *http.Request {
	s, header, err := auth.ReadSession(r.Context(), &exchange{r: r})
	if err != nil {
		Write(w, auth.Answer(r.Context(), err))
		return nil
	}
	for _, f := range header {
		if f.Name == "Set-Cookie" {
			w.Header().Add(f.Name, f.Value)
		} else {
			w.Header().Set(f.Name, f.Value)
		}
	}
	if s != nil {
		r = r.WithContext(core.WithSession(r.Context(), s))
	}
	return r
}

// CORSOptions are what an app's own routes need beyond core's.
type CORSOptions struct {
	// Methods beside GET, POST, PUT, PATCH and DELETE.
	Methods []string
	// Headers that requests may carry beside Content-Type, Authorization, X-Api-Key
	// and X-App-Id.
	Headers []string
	// Expose are headers of answers that scripts may read, beside those of core.
	Expose []string
}

// CORS has browsers of the trusted origins call the app's own routes with cookies:
// preflights are answered, and every other answer names the origin, errors included.
// Other origins get no permission. Paths that Handler answers have the same without it.
func CORS(auth *core.Auth, o CORSOptions) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			x := &exchange{r: r}
			if auth.Owns(x.Path()) {
				next.ServeHTTP(w, r)
				return
			}
			if res, handled := auth.Preflight(x); handled {
				for i, f := range res.Header {
					switch f.Name {
					case "Access-Control-Allow-Methods":
						res.Header[i].Value = list(f.Value, o.Methods)
					case "Access-Control-Allow-Headers":
						res.Header[i].Value = list(f.Value, o.Headers)
					}
				}
				Write(w, res)
				return
			}
			header, _ := auth.CORS(x)
			for _, f := range header {
				switch f.Name {
				case "Vary":
					w.Header().Add(f.Name, f.Value)
				case "Access-Control-Expose-Headers":
					w.Header().Set(f.Name, list(f.Value, o.Expose))
				default:
					w.Header().Set(f.Name, f.Value)
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

func list(have string, more []string) string {
	return strings.Join(append([]string{have}, more...), ", ")
}
