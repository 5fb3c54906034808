package core

import (
	"encoding/json"
	"reflect"
	"time"
)

// User is a person. Columns that plugins and the app added are in Extra, by their
// logical names: string, bool, int64, time.Time, json.RawMessage, or nil for NULL.
type User struct {
	ID            string    `db:"id" schema:"key"`
	Name          string    `db:"name"`
	Email         string    `db:"email" schema:"unique"` // lower case
	EmailVerified bool      `db:"emailVerified"`
	Image         *string   `db:"image"`
	CreatedAt     time.Time `db:"createdAt" schema:"now"`
	UpdatedAt     time.Time `db:"updatedAt" schema:"now"`

	Extra map[string]any
	model *model
}

// Session is one signed-in device.
type Session struct {
	ID        string    `db:"id" schema:"key"`
	ExpiresAt time.Time `db:"expiresAt" schema:"index"`
	// Token is what the cookie carries. In memory it is the token itself where it is
	// known (the caller's own session, a new one), else an opaque handle that
	// /revoke-session takes.
	Token     string    `db:"token" schema:"unique"`
	CreatedAt time.Time `db:"createdAt" schema:"now"`
	UpdatedAt time.Time `db:"updatedAt"`
	IPAddress *string   `db:"ipAddress"`
	UserAgent *string   `db:"userAgent"`
	UserID    string    `db:"userId" schema:"references=user,cascade,joined,index"`

	Extra map[string]any
	model *model
}

// sessionProof is how a session's user proved who they are; ours, unknown to Better
// Auth, so nullable. A row that Better Auth wrote has none: it counts as a password.
type sessionProof struct {
	// AMR lists the methods, by the names of RFC 8176 where it has them, joined by ",".
	AMR *string `db:"amr" schema:"hidden"`
	// AAL is the authenticator assurance level, 1 or 2 (NIST SP 800-63B).
	AAL *int `db:"aal" schema:"hidden"`
	// AuthenticatedAt is when the user last proved it: a session made by Reissue keeps it.
	AuthenticatedAt *time.Time `db:"authenticatedAt" schema:"hidden"`
}

// Account is one way in: a password ("credential") or a provider's identity.
type Account struct {
	ID                    string     `db:"id" schema:"key"`
	AccountID             string     `db:"accountId"`
	ProviderID            string     `db:"providerId"`
	UserID                string     `db:"userId" schema:"references=user,cascade,joined,index"`
	AccessToken           *string    `db:"accessToken" schema:"hidden"`
	RefreshToken          *string    `db:"refreshToken" schema:"hidden"`
	IDToken               *string    `db:"idToken" schema:"hidden"`
	AccessTokenExpiresAt  *time.Time `db:"accessTokenExpiresAt" schema:"hidden"`
	RefreshTokenExpiresAt *time.Time `db:"refreshTokenExpiresAt" schema:"hidden"`
	Scope                 *string    `db:"scope"`
	Password              *string    `db:"password" schema:"hidden"`
	CreatedAt             time.Time  `db:"createdAt" schema:"now"`
	UpdatedAt             time.Time  `db:"updatedAt"`
}

// Verification is a secret that somebody was given and may use once.
type Verification struct {
	ID         string    `db:"id" schema:"key"`
	Identifier string    `db:"identifier" schema:"index"`
	Value      string    `db:"value" schema:"hidden,hash"` // a user's id, or what a flow keeps
	ExpiresAt  time.Time `db:"expiresAt" schema:"index"`
	CreatedAt  time.Time `db:"createdAt" schema:"now"`
	UpdatedAt  time.Time `db:"updatedAt" schema:"now"`
}

// CredentialProvider is Account.ProviderID of a password.
const CredentialProvider = "credential"

var (
	accounts      = TableOf[Account]("account")
	verifications = TableOf[Verification]("verification")

	accountID       = Column(accounts, func(a *Account) *string { return &a.ID })
	accountUser     = Column(accounts, func(a *Account) *string { return &a.UserID })
	accountProvider = Column(accounts, func(a *Account) *string { return &a.ProviderID })
	accountPassword = Column(accounts, func(a *Account) **string { return &a.Password })
	accountUpdated  = Column(accounts, func(a *Account) *time.Time { return &a.UpdatedAt })
	accountCreated  = Column(accounts, func(a *Account) *time.Time { return &a.CreatedAt })

	verificationKey     = Column(verifications, func(v *Verification) *string { return &v.Identifier })
	verificationValue   = Column(verifications, func(v *Verification) *string { return &v.Value })
	verificationExpires = Column(verifications, func(v *Verification) *time.Time { return &v.ExpiresAt })
	verificationCreated = Column(verifications, func(v *Verification) *time.Time { return &v.CreatedAt })
)

// MarshalJSON writes the user as clients see it: every column but the hidden ones, id
// last, NULL as null, times with milliseconds.
func (u *User) MarshalJSON() ([]byte, error) { return u.appendJSON(nil), nil }

// MarshalJSON writes the session as clients see it.
func (s *Session) MarshalJSON() ([]byte, error) { return s.appendJSON(nil), nil }

// Methods lists how the session's user proved who they are (Session.Extra "amr"); a row
// without it was made by a password.
func (s *Session) Methods() []string {
	if v, _ := s.Extra["amr"].(string); v != "" {
		return splitComma(v)
	}
	return []string{"pwd"}
}

// AAL is the session's authenticator assurance level, 1 where nothing is recorded.
func (s *Session) AAL() int {
	if v, ok := s.Extra["aal"].(int64); ok {
		return int(v)
	}
	return 1
}

// AuthenticatedAt is when the user last proved who they are.
func (s *Session) AuthenticatedAt() time.Time {
	if t, ok := s.Extra["authenticatedAt"].(time.Time); ok {
		return t
	}
	return s.CreatedAt
}

// ExtraOf reads the added columns of a user or session into a row struct: its `db` tags
// name them, missing and NULL columns leave their fields as they are.
//
//	type Profile struct{ Tier string `db:"tier"` }
//	p := core.ExtraOf[Profile](user.Extra)
func ExtraOf[T any](extra map[string]any) T {
	var row T
	v := reflect.ValueOf(&row).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("db")
		value, ok := extra[name]
		if name == "" || !ok || value == nil {
			continue
		}
		assign(v.Field(i), value)
	}
	return row
}

func assign(f reflect.Value, value any) {
	t := f.Type()
	if t.Kind() == reflect.Pointer {
		p := reflect.New(t.Elem())
		assign(p.Elem(), value)
		f.Set(p)
		return
	}
	rv := reflect.ValueOf(value)
	switch {
	case rv.Type().AssignableTo(t):
		f.Set(rv)
	case rv.Kind() == reflect.Int64 && f.CanInt():
		f.SetInt(rv.Int())
	default:
		if raw, ok := value.(json.RawMessage); ok && f.CanAddr() {
			// A JSON column into a structured field; what does not fit leaves it empty.
			_ = json.Unmarshal(raw, f.Addr().Interface())
		}
	}
}
