package ratelimit

import (
	"strings"
	"testing"
	"time"
)

var t0 = time.UnixMilli(1_795_426_635_424)

func TestDecide(t *testing.T) {
	rule := Rule{Window: 10 * time.Second, Max: 3}
	for _, c := range []struct {
		name  string
		count int
		ago   time.Duration
		rule  Rule
		next  int
		want  Decision
	}{
		{"not known", 0, 0, rule, 1, Decision{Allowed: true}},
		{"second", 1, time.Second, rule, 2, Decision{Allowed: true}},
		{"last one", 2, time.Second, rule, 3, Decision{Allowed: true}},
		{"too many", 3, 0, rule, 3, Decision{RetryAfter: 10 * time.Second}},
		{"too many, waiting", 3, 9999 * time.Millisecond, rule, 3, Decision{RetryAfter: time.Millisecond}},
		{"window ended", 3, 10 * time.Second, rule, 1, Decision{Allowed: true}},
		{"window ended below the limit", 2, 10 * time.Second, rule, 1, Decision{Allowed: true}},
		{"more than allowed, after the limit was lowered", 7, time.Second, rule, 7, Decision{RetryAfter: 9 * time.Second}},
		{"clock a little back", 3, -3 * time.Second, rule, 3, Decision{RetryAfter: 10 * time.Second}},
		{"clock far back", 3, -time.Hour, rule, 1, Decision{Allowed: true}},
		{"zero rule", 0, 0, Rule{}, 0, Decision{RetryAfter: time.Second}},
		{"no requests", 0, 0, Rule{Window: time.Minute}, 0, Decision{RetryAfter: time.Minute}},
		{"no window", 5, time.Hour, Rule{Max: 9}, 5, Decision{RetryAfter: time.Second}},
	} {
		next, d := Decide(c.count, t0.Add(-c.ago), c.rule, t0)
		if next != c.next || d != c.want {
			t.Errorf("%s: got %d, %+v; want %d, %+v", c.name, next, d, c.next, c.want)
		}
	}
}

func TestRulesFor(t *testing.T) {
	r, err := NewRules(Config{
		Plugins: [][]Limit{
			{{"/two-factor/*", Rule{10 * time.Second, 3}}},
			{{"/sign-in/magic-link*", Rule{time.Minute, 5}}, {"/magic-link/verify*", Rule{time.Minute, 5}}},
			{{"/device", Rule{30 * time.Minute, 5}}, {"/two-factor/verify-totp", Rule{time.Hour, 1}}},
		},
		Custom: []CustomLimit{
			{Path: "/ok", Off: true},
			{Path: "/organization/*", Rule: Rule{time.Second, 7}},
			{Path: "/organization/list", Rule: Rule{time.Second, 8}},
			{Path: "/sign-up/email", Rule: Rule{time.Second, 9}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ten, minute := Rule{10 * time.Second, 3}, Rule{time.Minute, 3}
	for path, want := range map[string]Rule{
		"/get-session":                      {10 * time.Second, 100},
		"/":                                 {10 * time.Second, 100},
		"":                                  {10 * time.Second, 100},
		"/sign-in/email":                    ten,
		"/sign-in":                          ten,
		"/sign-inx":                         ten,
		"/x/sign-in":                        {10 * time.Second, 100},
		"/sign-up/username":                 ten,
		"/change-password":                  ten,
		"/change-email":                     ten,
		"/request-password-reset":           minute,
		"/request-password-reset/x":         {10 * time.Second, 100},
		"/send-verification-email":          minute,
		"/forget-password/email-otp":        minute,
		"/email-otp/send-verification-otp":  minute,
		"/email-otp/request-password-reset": minute,
		"/email-otp/verify-email":           {10 * time.Second, 100},
		"/reset-password":                   {10 * time.Second, 100},
		"/two-factor":                       {10 * time.Second, 100},
		"/two-factor/verify-totp":           {10 * time.Second, 3},
		"/sign-in/magic-link":               {time.Minute, 5},
		"/magic-link/verify":                {time.Minute, 5},
		"/device":                           {30 * time.Minute, 5},
		"/device/code":                      {10 * time.Second, 100},
		"/organization/list":                {time.Second, 7},
		"/organization/a/b":                 {10 * time.Second, 100},
		"/sign-up/email":                    {time.Second, 9},
	} {
		if got, limited := r.For(path); !limited || got != want {
			t.Errorf("For(%q) = %v, %v; want %v", path, got, limited, want)
		}
	}
	if got, limited := r.For("/ok"); limited || got != (Rule{}) {
		t.Errorf("For(/ok) = %v, %v", got, limited)
	}
}

func TestRulesDefault(t *testing.T) {
	want := Rule{time.Second, 2}
	r, err := NewRules(Config{Default: want})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := r.For("/get-session"); got != want {
		t.Errorf("got %v", got)
	}
}

func TestNewRulesNamesEveryFault(t *testing.T) {
	ok := Rule{time.Second, 1}
	r, err := NewRules(Config{
		Default: Rule{Max: 5},
		Plugins: [][]Limit{{{"no-slash", ok}, {"/a*b", ok}, {"/a?*", ok}, {"/no-max", Rule{Window: time.Second}}}},
		Custom: []CustomLimit{
			{Path: "", Rule: ok}, {Path: "bare", Rule: ok}, {Path: "/trailing/", Rule: ok}, {Path: `/back\*`, Rule: ok},
			{Path: "/off", Off: true, Rule: ok}, {Path: "/zero"}, {Path: "/fine", Rule: ok},
		},
	})
	if r != nil || err == nil {
		t.Fatal(r, err)
	}
	for _, name := range []string{"the default", `"no-slash"`, `"/a*b"`, `"/a?*"`, `"/no-max"`, `of ""`, `"bare"`, `"/trailing/"`, `"/back\\*"`, `"/off"`, `"/zero"`} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not reported in %v", name, err)
		}
	}
	if strings.Contains(err.Error(), "/fine") {
		t.Errorf("reported in %v", err)
	}
}

func TestKey(t *testing.T) {
	if got := Key("2001:0db8:0001:0002:0000:0000:0000:0000", "/sign-in/email"); got != "2001:0db8:0001:0002:0000:0000:0000:0000|/sign-in/email" {
		t.Error(got)
	}
	if got := Key("", "/get-session"); got != "no-trusted-ip|/get-session" {
		t.Error(got)
	}
}
