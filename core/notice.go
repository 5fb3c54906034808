package core

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// A notice tells a user by mail what happened to their account, so that they hear of it
// where it was not them. It goes to a proved address alone: whoever makes an account with
// somebody else's address must not be able to have them mailed by changing passwords.
const (
	NoticeNewDevice       = "new-device"       // a sign-in with a browser that is new to the user
	NoticeAccountLocked   = "account-locked"   // wrong guesses have locked the account
	NoticePasswordChanged = "password-changed" // also a reset, and a first password
	NoticeEmailChanged    = "email-changed"    // to the old address
	NoticeAccountDeleted  = "account-deleted"  // by the user, through /delete-user
)

var notices = []string{NoticeNewDevice, NoticeAccountLocked, NoticePasswordChanged, NoticeEmailChanged, NoticeAccountDeleted}

// coreMails are the messages of core, whose texts the mailer has.
var coreMails = append([]string{"verify-email", "reset-password", "change-email", "delete-account"}, notices...)

// NoticesConfig is about mails that tell users what happened to their account. They are
// sent where there is a mailer, to addresses that were proved.
type NoticesConfig struct {
	// Disabled sends none of them. Default false.
	Disabled bool `yaml:"disabled"`
	// Except lists those that are not sent: "new-device" (a sign-in with a browser that is
	// new to the user; clients that keep no cookies are new every time, and bring about at
	// most five a day; so are those that ask not to be remembered, without that bound), "account-locked" (at most one a day), "password-changed",
	// "email-changed" (to the old address), "account-deleted". Default: none.
	Except []string `yaml:"except"`
}

// tells tells whether a kind of notice is sent.
func (h *Host) tells(name string) bool {
	return h.CanMail() && !h.cfg.Notices.Disabled && !slices.Contains(h.cfg.Notices.Except, name)
}

// notice is a message to u as far as it can be known beforehand. c may be nil.
func notice(name string, c *Call, u *User, at time.Time) contract.Message {
	m := contract.Message{Template: name, Data: map[string]string{"time": at.UTC().Format("2006-01-02 15:04 UTC"), "ip": "", "browser": "", "system": ""}}
	if u != nil {
		m.To, m.User = u.Email, MailUser(u)
	}
	if c != nil && c.http {
		m.Data["ip"] = c.ClientIP()
		m.Data["browser"], m.Data["system"] = browserName(c.UserAgent())
	}
	return m
}

// sendNotice sends a notice about u in tx, where that kind is sent and the address is proved.
func (h *Host) sendNotice(ctx context.Context, tx *Tx, name string, c *Call, u *User, newEmail string) error {
	if !h.tells(name) || !u.EmailVerified {
		return nil
	}
	m := notice(name, c, u, h.Now())
	m.NewEmail = newEmail
	return h.SendMail(ctx, tx, m)
}

// noticeJob is a notice whose recipient is looked up when it is sent.
var noticeJob = NewJob[contract.Message]("notice")

// deliverNotice hands it to the mailer, unless the user is gone or their address unproved.
func (h *Host) deliverNotice(ctx context.Context, m contract.Message) error {
	u, err := h.UserByID(ctx, h.db, m.User.ID)
	if err != nil || u == nil || !u.EmailVerified || !h.tells(m.Template) {
		return err
	}
	m.To, m.User, m.Language = u.Email, MailUser(u), languages(u.Locale(), m.Language)
	return h.deliver(ctx, m)
}

// passwordNotice is what tells of a new password, for the batch of its event.
func (h *Host) passwordNotice(ctx context.Context, e *Event) (list []storage.Statement, err error) {
	switch e.Type {
	case EventPasswordChanged, EventPasswordReset, EventPasswordSet:
	default:
		return nil, nil
	}
	if !h.tells(NoticePasswordChanged) || e.UserID == "" {
		return nil, nil
	}
	m := notice(NoticePasswordChanged, e.Call, nil, e.At)
	m.User.ID = e.UserID
	if err = h.address(ctx, &m); err != nil {
		return nil, err
	}
	s, err := noticeJob.statement(h, m, m.ExpiresAt)
	return []storage.Statement{s}, err
}

// newDeviceMost bounds the notices that a client which keeps no cookies can bring about,
// by its new devices of one day.
const newDeviceMost = 5

// newDevice is what tells the user of a sign-in with a browser that is new to them, for
// the batch of the session, in front of what remembers the browser: the mail is written
// where the user has signed in before, or may have (see Audit.Retention), and not with this
// browser. So it costs no look-up.
// None where browsers are not remembered (lockout is off) or the call is none of a
// browser's. Who asks not to be remembered is told of as well: else that would be how to
// come in unheard.
func (h *Host) newDevice(ctx context.Context, c *Call, u *User) ([]storage.Statement, error) {
	if h.cfg.Lockout.Disabled || !c.http || !u.EmailVerified || !h.tells(NoticeNewDevice) {
		return nil, nil
	}
	m := notice(NoticeNewDevice, c, u, c.now)
	if err := h.address(ctx, &m); err != nil {
		return nil, err
	}
	s, err := mailJob.statement(h, m, m.ExpiresAt)
	if err != nil {
		return nil, err
	}
	// Of a user older than the events, who signed in before may be forgotten.
	keep := time.Duration(*h.cfg.Audit.Retention) * time.Second
	old := int64(0)
	if keep > 0 && c.now.Sub(u.CreatedAt) >= keep {
		old = 1
	}
	head, values, _ := strings.Cut(s.SQL, " VALUES (")
	s.SQL = head + " SELECT " + strings.TrimSuffix(values, ")") +
		" WHERE (1 = ? OR EXISTS (SELECT 1 FROM {securityEvent} WHERE {securityEvent:userId} = ? AND {securityEvent:type} = ?))" +
		" AND NOT EXISTS (SELECT 1 FROM {knownDevice} WHERE {knownDevice:id} = ? AND {knownDevice:userId} = ? AND {knownDevice:lastSeenAt} > ?)" +
		" AND (SELECT COUNT(*) FROM {knownDevice} WHERE {knownDevice:userId} = ? AND {knownDevice:createdAt} > ?) < ?"
	s.Args = append(s.Args, old, u.ID, EventSignIn, c.device(u.ID), u.ID, c.now.Add(-deviceLife), u.ID, c.now.Add(-24*time.Hour), int64(newDeviceMost))
	return []storage.Statement{s}, nil
}

const (
	lockNoticeKind = "lock-notice"
	lockNoticeRest = 24 * time.Hour
)

// tellLocked tells users of the locks among events that were recorded: off every
// request's path, since they are recorded in the background. A user hears of it once a
// day, however often somebody locks them out: else a lock would be a way to bomb them.
func (h *Host) tellLocked(ctx context.Context, events []*Event) {
	for _, e := range events {
		if e.Type != EventAccountLocked || e.UserID == "" || !h.tells(NoticeAccountLocked) {
			continue
		}
		if err := h.lockNotice(ctx, e); err != nil {
			h.log.Error("a notice of a lock is not sent", h.failureArgs(err)...)
		}
	}
}

func (h *Host) lockNotice(ctx context.Context, e *Event) error {
	u, err := h.UserByID(ctx, h.db, e.UserID)
	if err != nil || u == nil || !u.EmailVerified {
		return err
	}
	try, err := h.Attempts(lockNoticeKind).Limit(1, lockNoticeRest, lockNoticeRest).Reserve(ctx, u.ID)
	if refusal := AsError(err); refusal != nil && refusal.Status == ErrAccountLocked.Status {
		return nil
	}
	if err != nil || try.h == nil { // not counted: then rather none than any number
		return err
	}
	if err := h.SendMail(ctx, nil, notice(NoticeAccountLocked, nil, u, e.At)); err != nil {
		try.Release(ctx)
		return err
	}
	return try.Fail(ctx)
}
