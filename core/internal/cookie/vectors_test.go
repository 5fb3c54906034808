package cookie

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// vectors are what Better Auth 1.7.25 sent and accepted.
type vectors struct {
	Secret string
	Signed []struct {
		What, Name, Token, SetCookie string
		Value                        string `json:"cookie_value"`
		Line                         string `json:"set_cookie"`
	} `json:"signed_cookie"`
	Cases []struct {
		What, Header string
		Cookie       string `json:"cookie_header"`
		Valid        bool
	} `json:"signed_cookie_cases"`
	DontRemember []lines `json:"dont_remember_cookie"`
	Expired      []lines `json:"expired_cookies"`
	Secure       []lines `json:"secure_cookie"`
	Multi        []lines `json:"multi_session_cookie"`
	Admin        []lines `json:"admin_session_cookie"`
	TwoFactor    []lines `json:"two_factor_cookie"`
	Trust        []lines `json:"trust_device_cookie"`
	Rotation     []struct {
		Token  string `json:"new_token"`
		Value  string `json:"new_cookie_value"`
		Secret string `json:"signing_secret"`
	} `json:"secret_rotation_cookie"`
	Data []struct {
		Strategy, What string
		Line           string          `json:"set_cookie"`
		Value          string          `json:"cookie_value"`
		Text           string          `json:"decoded_json"`
		MACInput       string          `json:"mac_input"`
		Key            string          `json:"derived_key_hex"`
		Decoded        json.RawMessage `json:"decoded"`
	} `json:"session_data"`
	DataCases []struct {
		Strategy, What string
		Value          string `json:"cookie_value"`
		At             int64  `json:"judged_at_unix_ms"`
		Valid          bool
	} `json:"session_data_cases"`
	Chunked []struct {
		Cookies []struct {
			Name       string
			Length     int `json:"value_length"`
			LineLength int `json:"line_length"`
			Attributes string
		}
		Values map[string]string `json:"cookie_values"`
		Bio    int               `json:"bio_length"`
	} `json:"session_data_chunked"`
	Bearer []struct {
		What          string
		Token         string `json:"set_auth_token"`
		Value         string `json:"cookie_value"`
		Authorization string
		Valid         bool
	}
	Account []struct {
		Token   string
		Key     string `json:"derived_key_hex"`
		Payload json.RawMessage
		Header  struct{ Kid string }
	} `json:"account_data"`
}

type lines struct {
	What       string
	Lines      []string `json:"set_cookies"`
	Signed     string   `json:"signed_value"`
	Identifier string
	Value      string `json:"cookie_value"`
}

func load(tb testing.TB) vectors {
	tb.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		tb.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		tb.Fatal(err)
	}
	return v
}

// parseLine reads a Set-Cookie line back into its struct.
func parseLine(tb testing.TB, line string) Cookie {
	tb.Helper()
	var c Cookie
	for i, part := range strings.Split(line, "; ") {
		k, v, _ := strings.Cut(part, "=")
		switch {
		case i == 0:
			c.Name, c.Value = k, v
		case k == "Max-Age":
			var n int
			if err := json.Unmarshal([]byte(v), &n); err != nil {
				tb.Fatal(err)
			}
			c.MaxAge = &n
		case k == "Path":
			c.Path = v
		case k == "Domain":
			c.Domain = v
		case k == "SameSite":
			c.SameSite = strings.ToLower(v)
		case k == "HttpOnly":
			c.HTTPOnly = true
		case k == "Secure":
			c.Secure = true
		case k == "Partitioned":
			c.Partitioned = true
		default:
			tb.Fatalf("unknown attribute %q", k)
		}
	}
	return c
}

func TestSetCookieLines(t *testing.T) {
	v := load(t)
	var all []string
	for _, g := range [][]lines{v.DontRemember, v.Expired, v.Secure, v.Multi, v.Admin, v.TwoFactor, v.Trust} {
		for _, l := range g {
			all = append(all, l.Lines...)
		}
	}
	for _, s := range v.Signed {
		all = append(all, s.Line)
	}
	for _, d := range v.Data {
		all = append(all, d.Line)
	}
	if len(all) < 25 {
		t.Fatalf("only %d lines in the vectors", len(all))
	}
	for _, line := range all {
		if got := parseLine(t, line).String(); got != line {
			t.Errorf("got  %s\nwant %s", got, line)
		}
	}
}

// TestSignedLines signs the content of every signed cookie in the vectors anew.
func TestSignedLines(t *testing.T) {
	v := load(t)
	key := []byte(v.Secret)
	signed := map[string]string{} // value as sent: plain text, "" for any
	for _, s := range v.Signed {
		signed[s.Value] = s.Token
	}
	for _, g := range [][]lines{v.DontRemember, v.Multi, v.Admin, v.TwoFactor, v.Trust, v.Secure} {
		for _, l := range g {
			for _, line := range l.Lines {
				if c := parseLine(t, line); strings.HasSuffix(c.Value, "%3D") {
					signed[c.Value] = ""
				}
			}
			if l.Value != "" {
				signed[l.Value] = l.Signed + l.Identifier
			}
		}
	}
	if len(signed) < 12 {
		t.Fatalf("only %d signed values in the vectors", len(signed))
	}
	for value, want := range signed {
		plain, i, ok := Verify([][]byte{key}, value)
		if !ok || i != 0 || (want != "" && plain != want) {
			t.Errorf("%s: %q, key %d, %v; want %q", value, plain, i, ok, want)
		}
		if again := Sign(key, plain); again != value {
			t.Errorf("Sign(%q) = %s, want %s", plain, again, value)
		}
	}
}
