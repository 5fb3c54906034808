package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/server"
)

// twoFactor is the plugin whose command takes second factors off.
const twoFactor, twoFactorReset = "two-factor", "reset"

// withAuth runs do with everything but background work.
func withAuth(do func(context.Context, *run, *core.Auth) (int, error)) func(*run, *flag.FlagSet) func(context.Context) (int, error) {
	return func(r *run, _ *flag.FlagSet) func(context.Context) (int, error) {
		return func(ctx context.Context) (code int, err error) {
			c, err := r.load()
			if err != nil {
				return failed, err
			}
			auth, closeAll, err := server.OpenAuth(ctx, c, r.Plugins...)
			if err != nil {
				return failed, err
			}
			defer func() {
				if e := closeAll(context.WithoutCancel(ctx)); e != nil {
					code, err = failed, errors.Join(err, e)
				}
			}()
			return do(ctx, r, auth)
		}
	}
}

// onUser runs do with the user whom the command line names by address or id.
func onUser(do func(context.Context, *run, *core.Auth, *core.User) error) func(*run, *flag.FlagSet) func(context.Context) (int, error) {
	return withAuth(func(ctx context.Context, r *run, auth *core.Auth) (int, error) {
		u, err := auth.Host().FindUser(ctx, r.args[0])
		if err != nil {
			return failed, err
		}
		if u == nil {
			return failed, fmt.Errorf("no user has the address or id %q", r.args[0])
		}
		if err := do(ctx, r, auth, u); err != nil {
			return failed, err
		}
		return ok, nil
	})
}

var userShow = onUser(func(ctx context.Context, r *run, auth *core.Auth, u *core.User) error {
	h := auth.Host()
	s, err := h.UserStatus(ctx, u.ID)
	if err != nil {
		return err
	}
	if s == nil {
		return errors.New("the user was deleted meanwhile")
	}
	locked, err := h.LockedUntil(ctx, u.ID)
	if err != nil {
		return err
	}
	last, err := h.Events(ctx, core.EventQuery{UserID: u.ID, Types: []string{core.EventSignIn}, Limit: 1})
	if err != nil {
		return err
	}
	return r.table("FIELD\tVALUE", func(line func(...string)) {
		line("id", u.ID)
		line("email", printable(u.Email))
		line("email verified", yesNo(u.EmailVerified))
		line("name", printable(u.Name))
		line("created", stamp(u.CreatedAt))
		line("ways in", either(strings.Join(s.Providers, ", "), "no account"))
		if on, ok := u.Extra["twoFactorEnabled"].(bool); ok {
			line("two-factor", yesNo(on))
		}
		if banned, ok := u.Extra["banned"].(bool); ok {
			line("banned", yesNo(banned))
		}
		line("sessions", fmt.Sprint(s.Sessions))
		if locked.IsZero() {
			line("locked", "no")
		} else {
			line("locked", "until "+stamp(locked))
		}
		if len(last.Events) > 0 {
			line("last sign-in", stamp(last.Events[0].CreatedAt)+" from "+either(last.Events[0].IP, "an unknown address"))
		}
	})
})

var userUnlock = onUser(func(ctx context.Context, r *run, auth *core.Auth, u *core.User) error {
	if err := auth.Host().Unlock(ctx, nil, u.ID); err != nil {
		return err
	}
	return r.say("%s is not locked; wrong guesses so far are forgotten.", u.Email)
})

var userRevoke = onUser(func(ctx context.Context, r *run, auth *core.Auth, u *core.User) error {
	if err := auth.Host().EndSessions(ctx, u.ID); err != nil {
		return err
	}
	return r.say("%s is signed out everywhere.", u.Email)
})

var userVerify = onUser(func(ctx context.Context, r *run, auth *core.Auth, u *core.User) error {
	done, err := auth.Host().VouchEmail(ctx, u.ID)
	if err != nil {
		return err
	}
	if !done {
		return r.say("%s was verified already.", u.Email)
	}
	return r.say("%s is verified.", u.Email)
})

var userReset = onUser(func(ctx context.Context, r *run, auth *core.Auth, u *core.User) error {
	c, err := find(auth, twoFactor, twoFactorReset)
	if err != nil {
		return fmt.Errorf("the plugin %s is not enabled: there are no second factors", twoFactor)
	}
	return c.Run(ctx, auth.Host(), []string{u.Email}, r.out)
})

func userDelete(r *run, f *flag.FlagSet) func(context.Context) (int, error) {
	yes := f.Bool("yes", false, "delete indeed: nothing brings the user back")
	return func(ctx context.Context) (int, error) {
		if !*yes {
			return misused, errors.New("user delete: say --yes as well; nothing brings the user back")
		}
		return onUser(func(ctx context.Context, r *run, auth *core.Auth, u *core.User) error {
			if err := auth.Host().DeleteUser(ctx, nil, nil, u); err != nil {
				return err
			}
			return r.say("%s (%s) is deleted.", u.Email, u.ID)
		})(r, f)(ctx)
	}
}

// say prints a line about an address that anybody may have chosen.
func (r *run) say(format, email string, more ...any) error {
	_, err := fmt.Fprintf(r.out, format+"\n", append([]any{printable(email)}, more...)...)
	return err
}

// printable takes out what would steer a terminal, turn the direction of a line or not show.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, s)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func either(s, other string) string {
	if s == "" {
		return other
	}
	return printable(s)
}
