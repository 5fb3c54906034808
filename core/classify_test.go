package core_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

// selfish is an error that nothing can be done with.
type selfish struct{ err error }

func (s *selfish) Error() string { panic("no text") }
func (s *selfish) Unwrap() error { return s.err }

// endless wraps itself.
type endless struct{ text string }

func (e *endless) Error() string { return e.text }
func (e *endless) Unwrap() error { return e }

func TestClassify(t *testing.T) {
	e := start(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	of := func(kind storage.Kind) error { return &storage.Error{Kind: kind} }
	email := &storage.Error{Kind: storage.Unique, Table: "user", Columns: []string{"email"}}
	slug := &storage.Error{Kind: storage.Unique, Table: "organization", Columns: []string{"slug"}}
	own := core.NewError("SLUG_TAKEN", 409, "The slug is taken")
	unavailable := func(ctx context.Context, err error) outcome {
		return outcome{ctx, err, core.ErrServiceUnavailable, core.ClassServiceUnavailable, slog.LevelError, core.EventServiceError}
	}
	internal := func(err error) outcome {
		return outcome{t.Context(), err, core.ErrInternal, core.ClassInternal, slog.LevelError, core.EventServiceError}
	}
	quiet := func(err error, want *core.Error, class core.Class) outcome {
		return outcome{t.Context(), err, want, class, slog.LevelInfo, ""}
	}
	for name, tt := range map[string]outcome{
		// Errors of ours, by declaration, by code, by status.
		"a wrong password":             {t.Context(), core.ErrInvalidPassword, core.ErrInvalidPassword, core.ClassInvalidCredentials, slog.LevelInfo, core.EventSignInFailed},
		"an unverified address":        {t.Context(), emailpassword.ErrEmailNotVerified, emailpassword.ErrEmailNotVerified, core.ClassEmailNotVerified, slog.LevelInfo, core.EventSignInFailed},
		"a lock":                       {t.Context(), core.ErrAccountLocked, core.ErrAccountLocked, core.ClassAccountLocked, slog.LevelWarn, core.EventAccountLocked},
		"a rate limit":                 {t.Context(), core.ErrTooManyRequests, core.ErrTooManyRequests, core.ClassRateLimited, slog.LevelWarn, ""},
		"wrapped":                      quiet(fmt.Errorf("x: %w", core.ErrNotFound), core.ErrNotFound, core.ClassNotFound),
		"a registered code elsewhere":  quiet(core.NewError("INVALID_TOKEN", 404, "x"), core.NewError("INVALID_TOKEN", 404, "x"), core.ClassTokenInvalid),
		"an origin":                    quiet(core.ErrInvalidOrigin, core.ErrInvalidOrigin, core.ClassValidation),
		"no session":                   quiet(core.ErrUnauthorized, core.ErrUnauthorized, core.ClassUnauthorized),
		"401 of a plugin":              quiet(core.NewError("X", 401, "x"), core.NewError("X", 401, "x"), core.ClassUnauthorized),
		"403 of a plugin":              quiet(core.NewError("X", 403, "x"), core.NewError("X", 403, "x"), core.ClassUnauthorized),
		"409 of a plugin":              quiet(own, own, core.ClassValidation),
		"422 of a plugin":              quiet(core.NewError("X", 422, "x"), core.NewError("X", 422, "x"), core.ClassValidation),
		"502 of a plugin":              {t.Context(), core.NewError("X", 502, "x"), core.NewError("X", 502, "x"), core.ClassServiceUnavailable, slog.LevelError, core.EventServiceError},
		"a class of one's own":         quiet(own.In(core.ClassSignUpLimit), own, core.ClassSignUpLimit),
		"a status that is no failure":  internal(core.NewError("FINE", 200, "")),
		"a status that is none at all": internal(core.NewError("FINE", 0, "")),
		"nil of a type":                internal((*core.Error)(nil)),
		"nil of a storage type":        internal((*storage.Error)(nil)),
		"nil of a driver's type":       internal((*pq.Error)(nil)),
		// The database.
		"a taken address":      quiet(email, core.ErrEmailTaken, core.ClassEmailRegistered),
		"a taken slug":         quiet(slug, core.ErrConflict, core.ClassValidation),
		"a taken slug, told":   quiet(own.Because(slug), own, core.ClassValidation),
		"a row that has gone":  quiet(of(storage.ForeignKey), core.ErrConflict, core.ClassValidation),
		"a value too long":     quiet(of(storage.Data), core.ErrBadRequest, core.ClassValidation),
		"a column is missing":  unavailable(t.Context(), of(storage.Schema)),
		"a column is required": unavailable(t.Context(), of(storage.NotNull)),
		"a check fails":        unavailable(t.Context(), of(storage.Check)),
		"the database is away": unavailable(t.Context(), of(storage.Unavailable)),
		"read-only":            unavailable(t.Context(), of(storage.ReadOnly)),
		"a deadlock":           unavailable(t.Context(), of(storage.Conflict)),
		"a statement's time":   unavailable(t.Context(), of(storage.Timeout)),
		"an unknown state":     unavailable(t.Context(), of(storage.Unknown)),
		"the outage in a lie":  unavailable(t.Context(), core.ErrInvalidPassword.Because(of(storage.Schema))),
		"the outage beside":    unavailable(t.Context(), errors.Join(core.ErrInvalidPassword, fmt.Errorf("x: %w", of(storage.Schema)))),
		"an outage and a slug": unavailable(t.Context(), errors.Join(slug, of(storage.Unavailable))),
		// Drivers' own errors, and database/sql's.
		"lib/pq, unique":       quiet(&pq.Error{Code: "23505", Table: "things", Constraint: "things_slug_key"}, core.ErrConflict, core.ClassValidation),
		"lib/pq, schema":       unavailable(t.Context(), fmt.Errorf("hook: %w", &pq.Error{Code: "42703", Message: "secret"})),
		"lib/pq, class 22":     quiet(&pq.Error{Code: "22001"}, core.ErrBadRequest, core.ClassValidation),
		"lib/pq, class 08":     unavailable(t.Context(), &pq.Error{Code: "08006"}),
		"pgx, unique":          quiet(&pgconn.PgError{Code: "23505", TableName: "user", Detail: "Key (email)=(a) already exists."}, core.ErrConflict, core.ClassValidation),
		"pgx, permission":      unavailable(t.Context(), &pgconn.PgError{Code: "42501"}),
		"pgx, no code":         unavailable(t.Context(), &pgconn.PgError{}),
		"a bad connection":     unavailable(t.Context(), driver.ErrBadConn),
		"a closed connection":  unavailable(t.Context(), sql.ErrConnDone),
		"no rows":              internal(sql.ErrNoRows),
		"a transaction's end":  internal(sql.ErrTxDone),
		"a lost commit's text": internal(io.EOF),
		// The network.
		"refused":               unavailable(t.Context(), &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}),
		"refused, bare":         unavailable(t.Context(), fmt.Errorf("x: %w", syscall.ECONNREFUSED)),
		"no such host":          unavailable(t.Context(), &net.DNSError{Err: "no such host", Name: "db", IsNotFound: true}),
		"a request of a hook's": unavailable(t.Context(), &url.Error{Op: "Get", URL: "http://x", Err: io.EOF}),
		"a URL that is none":    internal(&url.Error{Op: "parse", URL: "%", Err: url.EscapeError("%")}),
		"an i/o deadline":       unavailable(t.Context(), os.ErrDeadlineExceeded),
		"a full disk":           unavailable(t.Context(), &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}),
		"a file that is absent": internal(&os.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}),
		// Contexts.
		"our deadline":             unavailable(late, context.DeadlineExceeded),
		"a canceled part of ours":  unavailable(t.Context(), context.Canceled),
		"gone":                     {gone, context.Canceled, core.ErrServiceUnavailable, core.ClassServiceUnavailable, slog.LevelInfo, ""},
		"gone, in the database":    {gone, fmt.Errorf("x: %w", of(storage.Canceled)), core.ErrServiceUnavailable, core.ClassServiceUnavailable, slog.LevelInfo, ""},
		"gone, and a call from Go": {gone, core.ErrServiceUnavailable.Because(context.Canceled), core.ErrServiceUnavailable, core.ClassServiceUnavailable, slog.LevelInfo, ""},
		"gone, but guessed wrong":  {gone, core.ErrInvalidPassword, core.ErrInvalidPassword, core.ClassInvalidCredentials, slog.LevelInfo, core.EventSignInFailed},
		// What nobody foresaw.
		"a text":               internal(errors.New("secret")),
		"JSON of a hook's":     internal(json.Unmarshal([]byte("{"), new(any))),
		"an error that kicks":  internal(&selfish{}),
		"an error in circles":  internal(&endless{"secret"}),
		"kicks, and an outage": unavailable(t.Context(), &selfish{of(storage.Schema)}),
	} {
		t.Run(name, func(t *testing.T) { tt.check(t, e.auth.Classify(tt.ctx, tt.err)) })
	}
	if f := e.auth.Classify(t.Context(), nil); f != (core.Failure{}) {
		t.Errorf("nil: %+v", f)
	}
}

// outcome is an error and what is to become of it.
type outcome struct {
	ctx   context.Context
	err   error
	want  *core.Error
	class core.Class
	level slog.Level
	event string
}

func (o outcome) check(t *testing.T, f core.Failure) {
	t.Helper()
	if f.Code != o.want.Code || f.Status != o.want.Status || f.Class != o.class || f.Level != o.level || f.Event != o.event {
		t.Errorf("%d %s in %s, level %s, event %q; want %d %s in %s, level %s, event %q", f.Status, f.Code, f.Class, f.Level, f.Event,
			o.want.Status, o.want.Code, o.class, o.level, o.event)
	}
	if counts := o.class == core.ClassInvalidCredentials || o.class == core.ClassTwoFactorFailed; f.Counts != counts {
		t.Errorf("counts: %v", f.Counts)
	}
	if canceled := o.level == slog.LevelInfo && o.class == core.ClassServiceUnavailable; f.Canceled != canceled {
		t.Errorf("canceled: %v", f.Canceled)
	}
	if f.Code == core.ErrServiceUnavailable.Code && !f.Canceled && (f.RetryAfter < time.Second || f.RetryAfter > time.Minute) {
		t.Errorf("Retry-After: %s", f.RetryAfter)
	}
}

// What a hook's own connection says is understood: the tables of core by their names in
// the database, those of the app as what they are.
func TestClassifyForeignConnection(t *testing.T) {
	for name, open := range handles {
		t.Run(name, func(t *testing.T) {
			raw, db := open(t)
			t.Cleanup(func() { raw.Close() })
			e := start(t, on(db))
			e.client().signUp("a@example.com")
			e.client().signUp("b@example.com")
			user, mail := `"`+e.cfg.Names.Table("user")+`"`, `"`+e.cfg.Names.Column("user", "email")+`"`
			e.ddl(`CREATE TABLE things (slug TEXT UNIQUE)`)
			e.ddl(`CREATE TABLE mails (email TEXT UNIQUE)`)
			for _, tt := range []struct{ name, sql, code string }{
				{"an address of core's", "UPDATE " + user + " SET " + mail + " = 'same@example.com'", "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"},
				{"an id of core's", "UPDATE " + user + ` SET "id" = 'same'`, "CONFLICT"},
				{"a slug", "INSERT INTO things VALUES ('x'), ('x')", "CONFLICT"},
				{"an address of the app's", "INSERT INTO mails VALUES ('x'), ('x')", "CONFLICT"},
				{"no such column", "SELECT nothing FROM things", "SERVICE_UNAVAILABLE"},
				{"no such table", "SELECT nothing FROM nowhere", "SERVICE_UNAVAILABLE"},
			} {
				_, err := raw.ExecContext(t.Context(), tt.sql)
				if f := e.auth.Classify(t.Context(), fmt.Errorf("hook: %w", err)); f.Code != tt.code || err == nil {
					t.Errorf("%s: %s in %s (%v)", tt.name, f.Code, f.Class, err)
				}
			}
		})
	}
}

// Every class has a policy, a status of a failure, and a place in the list.
func TestClasses(t *testing.T) {
	all := core.Classes()
	if len(all) != 19 {
		t.Errorf("%d classes", len(all))
	}
	for i, c := range all {
		if s := c.Status(); s < 400 || s > 599 {
			t.Errorf("%s: %d", c, s)
		}
		for _, d := range all[:i] {
			if c == d {
				t.Errorf("%s is there twice", c)
			}
		}
	}
	if s := core.Class("NONE").Status(); s != 500 {
		t.Errorf("an unknown class: %d", s)
	}
}

// Whatever an error is made of, its classification does not panic, is a failure, and
// nothing of its text reaches the client.
func FuzzClassify(f *testing.F) {
	const secret = "hunter2"
	var cause error
	e := start(f, hooks(core.Request.Before(func(context.Context, *core.RequestEvent) error { return cause })))
	for i := range uint64(20) {
		f.Add(i, i*7)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		cause = randomError(rand.New(rand.NewPCG(a, b)), secret, 4)
		res := e.client().get("/ok")
		if cause == nil {
			return
		}
		if res.Status < 400 || res.Status > 599 {
			t.Errorf("%#v: %d", cause, res.Status)
		}
		if all := fmt.Sprint(res.Header) + string(res.Body); strings.Contains(all, secret) {
			t.Errorf("%#v: %s", cause, all)
		}
	})
}

// randomError builds an error of parts that a hook may come with.
func randomError(r *rand.Rand, secret string, depth int) error {
	if depth > 0 && r.IntN(3) > 0 {
		inner := randomError(r, secret, depth-1)
		switch r.IntN(7) {
		case 0:
			return fmt.Errorf("%s: %w", secret, inner)
		case 1:
			return errors.Join(inner, randomError(r, secret, depth-1), nil)
		case 2:
			return core.ErrInvalidPassword.Because(inner)
		case 3:
			return &storage.Error{Kind: storage.Kind(r.IntN(12)), Table: secret, SQLState: secret, Err: inner}
		case 4:
			return &selfish{inner}
		case 5:
			return &url.Error{Op: "Post", URL: secret, Err: inner}
		}
		return &net.OpError{Op: secret, Err: inner}
	}
	list := []error{nil, errors.New(secret), (*core.Error)(nil), (*storage.Error)(nil), (*pq.Error)(nil), (*net.OpError)(nil), (*selfish)(nil),
		&endless{secret}, context.Canceled, context.DeadlineExceeded, sql.ErrNoRows, io.EOF, syscall.Errno(r.IntN(140)),
		&pq.Error{Code: pqerror.Code([]string{"23505", "42703", "xx", "", secret}[r.IntN(5)]), Message: secret, Detail: "Key (" + secret},
		&pgconn.PgError{Code: "23502", Message: secret, ColumnName: secret}, &json.SyntaxError{}, core.ErrUnauthorized,
		core.NewError("MADE_UP", r.IntN(1000)-100, "made up").Because(errors.New(secret)), &net.DNSError{Name: secret}}
	return list[r.IntN(len(list))]
}
