package twofactor

import (
	"encoding/json"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugintest"
)

type codeAt struct {
	At   int64  `json:"unix_time"`
	Code string `json:"code"`
}

// vectors are what Better Auth itself wrote and answered.
type vectors struct {
	Secret string `json:"secret"`
	TOTP   []struct {
		Row    map[string]any `json:"row_after_enable"`
		Plain  string         `json:"plain_secret"`
		URI    string         `json:"totp_uri"`
		Digits int            `json:"digits"`
		Period int            `json:"period"`
		Codes  []codeAt       `json:"codes"`
	} `json:"totp"`
	Imported []struct {
		Stored string   `json:"stored"`
		Codes  []codeAt `json:"codes"`
	} `json:"totp_imported"`
	Backup []struct {
		Stored string   `json:"stored"`
		Codes  []string `json:"codes"`
	} `json:"backup_codes"`
	Challenge []struct {
		Identifier string `json:"identifier"`
		Rows       []struct{ Identifier, Value string }
	} `json:"two_factor_cookie"`
	Trust []struct {
		User       string `json:"user_id"`
		Cookie     string `json:"cookie_value"`
		Token      string `json:"token"`
		Identifier string `json:"identifier"`
	} `json:"trust_device_cookie"`
}

func readVectors(t *testing.T) (v vectors) {
	t.Helper()
	raw, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestVectors reads what Better Auth wrote, with its secret.
func TestVectors(t *testing.T) {
	v := readVectors(t)
	w := newWorld(t, Options{Issuer: "Better Auth"}, config(func(c *core.Config) { c.Secret = v.Secret }))
	for _, x := range v.TOTP {
		key, err := w.p.openSecret(&factor{Secret: x.Row["secret"].(string)})
		if err != nil || string(key) != x.Plain {
			t.Fatalf("secret %q, %v", key, err)
		}
		o := totpParams{x.Digits, x.Period}
		if got := o.uri(key, "Better Auth", "ada@example.com"); got != x.URI {
			t.Errorf("uri\n%s, want\n%s", got, x.URI)
		}
		checkCodes(t, o, key, x.Codes)
	}
	for _, x := range v.Imported {
		key, err := w.p.openSecret(&factor{Secret: x.Stored})
		if err != nil {
			t.Fatal(err)
		}
		checkCodes(t, w.p.totp, key, x.Codes)
	}
	for _, x := range v.Backup {
		if got, err := w.p.readBackupCodes(x.Stored); err != nil || !slices.Equal(got, x.Codes) {
			t.Errorf("backup codes %v, %v", got, err)
		}
	}
	if x := v.Challenge[0]; !isChallenge(x.Identifier) || x.Rows[1].Identifier != attemptsPrefix+x.Identifier || x.Rows[1].Value != "0" {
		t.Errorf("challenge %+v", x)
	}
	x := v.Trust[0]
	value, _, _ := strings.Cut(x.Cookie, "."+strings.SplitAfter(x.Cookie, ".")[1])
	token, id, ok := splitTrust(value)
	if !ok || token != x.Token || id != x.Identifier || w.Host.SecretMAC(x.User+"!"+id) != token || !w.Host.VerifySecretMAC(x.User+"!"+id, token) {
		t.Errorf("trust cookie %q", value)
	}
	if w.Host.VerifySecretMAC("other!"+id, token) {
		t.Error("the token of one user is another's")
	}
}

func checkCodes(t *testing.T, o totpParams, key []byte, list []codeAt) {
	t.Helper()
	for _, c := range list {
		if step, ok, err := o.match(key, c.Code, time.Unix(c.At, 0)); err != nil || !ok || step != c.At/int64(o.period) {
			t.Errorf("code at %d: step %d, %v, %v", c.At, step, ok, err)
		}
		for _, off := range []int64{-2, 2} {
			if at := c.At + off*int64(o.period); at > 0 {
				if _, ok, _ := o.match(key, c.Code, time.Unix(at, 0)); ok {
					t.Errorf("code at %d is taken %d steps off", c.At, off)
				}
			}
		}
	}
}

// TestBetterAuthChallenge ends a challenge that Better Auth began: two rows, no more.
func TestBetterAuthChallenge(t *testing.T) {
	compat := config(func(c *core.Config) { c.Session.TokenStorage = "compat" })
	w := newWorld(t, Options{}, compat)
	m := w.enrol("ada@example.com")
	for _, forget := range []bool{false, true} {
		const id = "2fa-C6XDYMjAU4wf1fJXMpem"
		ctx := t.Context()
		for name, value := range map[string]string{id: m.UserID, attemptsPrefix + id: "0"} {
			if err := w.Host.PutVerification(ctx, w.Host.DB(), name, value, time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		c := w.Client()
		c.SetCookie("two_factor", url.QueryEscape(w.Host.SignValue(id)))
		if forget {
			c.SetCookie("dont_remember", url.QueryEscape(w.Host.SignValue("true")))
		}
		before := w.Count("session")
		a := c.Post("/two-factor/verify-totp", plugintest.M{"code": m.code(0)}).Want(200)
		if a.Text("token") == "" || !signedIn(c) || w.Count("session") != before+1 {
			t.Errorf("no session: %s", a.Body)
		}
		s := w.sessions(m.UserID)
		last := s[len(s)-1]
		for _, r := range s {
			if r["createdAt"] > last["createdAt"] {
				last = r
			}
		}
		life := map[bool]time.Duration{false: 7 * 24 * time.Hour, true: 24 * time.Hour}[forget]
		if want := w.Clock.Now().Add(life).Format("2006-01-02T15:04:05.000Z"); last["amr"] != "pwd,otp,mfa" || last["aal"] != "2" || last["expiresAt"] != want {
			t.Errorf("session %v, want one until %s", last, want)
		}
		w.Clock.Advance(time.Minute)
	}
}

func TestURIEscaping(t *testing.T) {
	got := totpParams{6, 30}.uri([]byte("k"), "A & B/é~*(x)", "a+b@example.com")
	want := "otpauth://totp/A%20%26%20B%2F%C3%A9~*(x):a%2Bb%40example.com?secret=NM&issuer=A+%26+B%2F%C3%A9%7E*%28x%29&digits=6&period=30"
	if got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}
