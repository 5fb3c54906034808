package fiber

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-auth/sallyport/core"
)

// Session reads the session of every request and puts it into its context: SessionOf
// finds it in handlers, core.SessionFrom below them. Cookies that were renewed go out
// with the app's answer. A request without a session goes on without one.
//
// Whatever keeps the session from being known ends the request with core's answer: 503
// where the database cannot be asked, 403 where a request that may change something
// comes with cookies from an origin that is not trusted. None of them looks like a
// request of nobody.
func Session(auth *core.Auth) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if ok := load(c, auth); !ok {
			return nil
		}
		return c.Next()
	}
}

// Require is Session for what needs one: without it the answer is 401 with the body that
// every endpoint gives. It may stand behind Session or alone.
func Require(auth *core.Auth) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if _, ok := SessionOf(c); ok {
			return c.Next()
		}
		if ok := load(c, auth); !ok {
			return nil
		}
		if _, ok := SessionOf(c); !ok {
			Write(c, auth.Answer(c.UserContext(), core.ErrUnauthorized))
			return nil
		}
		return c.Next()
	}
}

// SessionOf returns the session that Session or Require found. ok is false without one.
func SessionOf(c *fiber.Ctx) (s *core.SessionAnswer, ok bool) {
	return core.SessionFrom(c.UserContext())
}

func load(c *fiber.Ctx, auth *core.Auth) (ok bool) {
	s, header, err := auth.ReadSession(c.UserContext(), exchange{c})
	if err != nil {
		Write(c, auth.Answer(c.UserContext(), err))
		return false
	}
	for _, f := range header {
		if f.Name == "Set-Cookie" {
			c.Response().Header.Add(f.Name, f.Value)
		} else {
			c.Set(f.Name, f.Value)
		}
	}
	if s != nil {
		c.SetUserContext(core.WithSession(c.UserContext(), s))
	}
	return true
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
// Other origins get no permission. Put it before the routes; paths that Mount answers
// have the same without it.
func CORS(auth *core.Auth, o CORSOptions) fiber.Handler {
	return func(c *fiber.Ctx) error {
		x := exchange{c}
		if auth.Owns(x.Path()) {
			return c.Next()
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
			Write(c, res)
			return nil
		}
		header, _ := auth.CORS(x)
		for _, f := range header {
			switch f.Name {
			case "Vary":
				c.Vary(f.Value)
			case "Access-Control-Expose-Headers":
				c.Set(f.Name, list(f.Value, o.Expose))
			default:
				c.Set(f.Name, f.Value)
			}
		}
		return c.Next()
	}
}

func list(have string, more []string) string {
	return strings.Join(append([]string{have}, more...), ", ")
}
