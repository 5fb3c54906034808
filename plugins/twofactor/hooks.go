package twofactor

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Names of rows in the verification table, Better Auth's but for the last. Each is looked
// up under its own purpose, so that a signed value of another cookie opens nothing.
const (
	challengePrefix = "2fa-" // and 20 characters; the value is the user's id
	attemptsPrefix  = "2fa-attempts-"
	otpPrefix       = "2fa-otp-"
	trustPrefix     = "trust-device-" // and 32 characters; the value is the user's id
	proofPrefix     = "2fa-proof-"    // ours: how the first proof was given
)

const challengeLength, trustLength = 20, 32

// eventPassed is the type of the security event of a challenge that was passed.
const eventPassed = "two-factor.passed"

// byMail is the proof of who can read the user's mail (core's name for links in mails).
const byMail = "email"

// passwordPaths are the sign-ins that Better Auth asks for a second factor.
var passwordPaths = []string{"/sign-in/email", "/sign-in/username", "/sign-in/phone-number"}

// firstProof is what is remembered of a sign-in while its challenge is under way.
type firstProof struct {
	Methods  []string `json:"methods"`
	Mailed   bool     `json:"mailed,omitempty"` // who reads the user's mail can have given it
	Forget   bool     `json:"forget,omitempty"`
	Callback string   `json:"callback,omitempty"`
}

// unlock forgets wrong codes, core's count and the factor's own.
func (p *Plugin) unlock(ctx context.Context, e *core.UserUnlockEvent) error {
	if _, err := factors.Update(ctx, e.Tx, clearFailures(), colUser.Eq(e.UserID)); err != nil {
		return err
	}
	return p.host.Attempts(attempts).Unlock(ctx, e.Tx, e.UserID)
}

// demand asks for a second factor. It only reads: what it wants written goes with what
// the gate writes, so that a sign-in that another hook refuses leaves nothing behind.
func (p *Plugin) demand(ctx context.Context, e *core.SignInEvent) error {
	if e.AAL >= 2 || e.Challenged() || !isEnabled(e.User) ||
		p.o.Enforce == "upstream" && !slices.Contains(passwordPaths, e.Call.Path()) {
		return nil
	}
	value, presented := e.Call.Signed(p.trustCookie)
	if presented {
		trusted, err := p.trusted(ctx, e, value)
		if err != nil || trusted {
			return err
		}
		e.Call.Expire(p.trustCookie)
	}
	methods, mailed, err := p.methods(ctx, p.host.Conn(e.Tx), e.User.ID, e.Methods)
	if err != nil {
		return err
	}
	if len(methods) == 0 && mailed {
		all, err := p.mailboxIsAll(ctx, p.host.Conn(e.Tx), e.User.ID)
		if err != nil || all {
			return err
		}
	}
	if err := p.challenge(e, mailed); err != nil {
		return err
	}
	e.Challenge(methods...)
	return nil
}

// methods are the factors that a user can show after a first proof. A mailbox is one
// factor: mailed tells that the first proof is of it.
func (p *Plugin) methods(ctx context.Context, q storage.Conn, userID string, first []string) (list []string, mailed bool, err error) {
	mailed = slices.Contains(first, byMail)
	if !p.o.TOTP.Disable {
		f, err := factorOf(ctx, q, userID)
		if err != nil {
			return nil, false, err
		}
		if f != nil && f.verified() {
			list = append(list, "totp")
			if !mailed && p.canMail() && p.o.Enforce == "all" && slices.Contains(first, "pwd") {
				if mailed, err = p.resetByMail(ctx, q, userID); err != nil {
					return nil, false, err
				}
			}
		}
	}
	if p.canMail() && !mailed {
		list = append(list, "otp")
	}
	return list, mailed, nil
}

// mailboxIsAll tells whether a user has nothing but their mailbox: neither a password nor
// another factor. Behind a link in it there is nothing left to ask them for: a challenge that
// nothing meets would keep them out for good.
func (p *Plugin) mailboxIsAll(ctx context.Context, q storage.Conn, userID string) (bool, error) {
	f, err := factorOf(ctx, q, userID)
	if err != nil || !p.canMail() || f != nil && f.verified() {
		return false, err
	}
	rows, err := q.Query(ctx, "SELECT {account.id} FROM {account=} WHERE {account.userId} = ? AND {account.password} IS NOT NULL", userID)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	password := rows.Next()
	return !password && rows.Err() == nil, errors.Join(rows.Err(), rows.Close())
}

// resetByMail tells whether a mailed link has set the password, and nobody has shown since
// that they have more than the mailbox. It matters where the user has more: without, a code
// by mail is all that there is.
func (p *Plugin) resetByMail(ctx context.Context, q storage.Conn, userID string) (bool, error) {
	page, err := p.host.EventsFrom(ctx, q, core.EventQuery{UserID: userID, Limit: 100,
		Types: []string{core.EventPasswordReset, core.EventPasswordChanged, core.EventPasswordSet, eventPassed}})
	for _, e := range page.Events {
		if e.Type != eventPassed || e.Detail["method"] != byMail {
			return e.Type == core.EventPasswordReset, err
		}
	}
	return false, err
}

// challenge sets the cookie and has the rows written with the gate's.
func (p *Plugin) challenge(e *core.SignInEvent, mailed bool) error {
	random, err := p.host.RandomString(core.Alphanumeric, challengeLength)
	if err != nil {
		return err
	}
	first, err := json.Marshal(firstProof{Methods: e.Methods, Mailed: mailed, Forget: e.Forget, Callback: e.Callback})
	if err != nil {
		return err
	}
	id := challengePrefix + random
	life := time.Duration(p.o.ChallengeMaxAge) * time.Second
	for _, row := range [][2]string{{id, e.User.ID}, {attemptsPrefix + id, "0"}, {proofPrefix + id, string(first)}} {
		s, err := p.host.VerificationStatement(row[0], row[1], life)
		if err != nil {
			return err
		}
		e.With = append(e.With, s)
	}
	e.Call.SetSigned(p.challengeCookie, id, false)
	return nil
}

// isChallenge tells the name of a challenge from those of other rows.
func isChallenge(id string) bool {
	rest, ok := strings.CutPrefix(id, challengePrefix)
	return ok && len(rest) == challengeLength && !strings.HasPrefix(id, otpPrefix)
}

// trusted tells whether the device may go without. Then its cookie and row are replaced,
// together with the session's insertion.
func (p *Plugin) trusted(ctx context.Context, e *core.SignInEvent, value string) (bool, error) {
	token, id, ok := splitTrust(value)
	if !ok || !p.host.VerifySecretMAC(e.User.ID+"!"+id, token) {
		return false, nil
	}
	row, found, err := p.host.PeekVerification(ctx, p.host.Conn(e.Tx), id)
	if err != nil || !found || row.Value != e.User.ID {
		return false, err
	}
	s, err := p.trust(e.Call, e.User.ID)
	if err != nil {
		return false, err
	}
	e.With = append(e.With, p.host.DropVerificationStatement(id), s)
	return true, nil
}

// splitTrust reads the cookie of a trusted device: a MAC and the name of a row.
func splitTrust(value string) (token, id string, ok bool) {
	token, id, ok = strings.Cut(value, "!")
	return token, id, ok && token != "" && strings.HasPrefix(id, trustPrefix) && len(id) == len(trustPrefix)+trustLength
}

// trust sets the cookie of a trusted device and returns the statement for its row.
func (p *Plugin) trust(c *core.Call, userID string) (storage.Statement, error) {
	random, err := p.host.RandomString(core.Alphanumeric, trustLength)
	if err != nil {
		return storage.Statement{}, err
	}
	id := trustPrefix + random
	c.SetSigned(p.trustCookie, p.host.SecretMAC(userID+"!"+id)+"!"+id, false)
	return p.host.VerificationStatement(id, userID, p.trustLife())
}
