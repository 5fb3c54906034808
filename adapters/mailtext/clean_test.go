package mailtext

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"Ada Lovelace", "Ada Lovelace"},
		{"  Ada \t Lovelace ", "Ada Lovelace"},
		{"Ada\r\nBcc: eve@example.com", "Ada Bcc: eve@example.com"},
		{"a\x00b\x1b[31mc\x7fd\u0085e", "a b [31mc d e"},
		{"a\u2028b\u2029c\u00a0d", "a b c d"},
		{"abc\u202Etxt.exe", "abctxt.exe"},
		{"a\u200Bb\uFEFFc\u00ADd", "abcd"},
		{"نامه\u200Cای", "نامه\u200Cای"},
		{"a\xffb", "ab"},
		{"a\uFFFDb", "a\uFFFDb"},
		{"Ünïcödé 🎉", "Ünïcödé 🎉"},
	}
	for _, tt := range tests {
		if got := Line(tt.in); got != tt.want {
			t.Errorf("Line(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestDisplayName(t *testing.T) {
	tests := []struct{ in, want string }{
		{"Ada Lovelace", "Ada Lovelace"},
		{"Dr. Ada", "Dr. Ada"},
		{"Sammy Davis Jr.", "Sammy Davis Jr."},
		{"O'Brien & Söhne", "O'Brien & Söhne"},
		{strings.Repeat("ä", 100), strings.Repeat("ä", 100)},
		{strings.Repeat("ä", 101), ""},
		{"Prize at evil.example", ""},
		{"www.evil.example", ""},
		{"evil。example", ""},
		{"evil．example", ""},
		{"evil｡example", ""},
		{"evil\u200B.example", ""},
		{"evil.\u200Bexample", ""},
		{"https://evil", ""},
		{"evil/x", ""},
		{`\\evil\x`, ""},
		{"mail eve@evil", ""},
		{"tel:123", ""},
		{"<b>", ""},
	}
	for _, tt := range tests {
		if got := displayName(tt.in); got != tt.want {
			t.Errorf("displayName(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestCheckURL(t *testing.T) {
	tests := []struct {
		url string
		ok  bool
	}{
		{"", true},
		{"https://app.example/verify?token=a.b-c_d&callbackURL=%2Fhome", true},
		{"http://localhost:3000/x", true},
		{"HTTPS://app.example/", true},
		{"http://[::1]:3000/", true},
		{"javascript:alert(1)", false},
		{"data:text/html,x", false},
		{"mailto:a@example.com", false},
		{"ftp://example.com/", false},
		{"//example.com/", false},
		{"/verify", false},
		{"https:/verify", false},
		{"https://", false},
		{"https://:443/", false},
		{"https://app.example@evil.example/", false},
		{"https://app.example/a b", false},
		{" https://app.example/", false},
		{"https://app.example/\r\nX: y", false},
		{"https://app.example/\"onclick=", false},
		{"https://app.example\\@evil.example/", false},
		{"https://app.example/ä", false},
		{"https://app.example/%zz", false},
	}
	for _, tt := range tests {
		err := checkURL(tt.url)
		if (err == nil) != tt.ok {
			t.Errorf("checkURL(%q) = %v, want ok = %v", tt.url, err, tt.ok)
		}
		if err != nil && err != errURL {
			t.Errorf("checkURL(%q) = %v: may quote the URL", tt.url, err)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{"Ada", "a\r\nb", "\u202Ex", "a\xff", "a\u2028b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Line(s)
		if !utf8.ValidString(got) || got != strings.TrimSpace(got) || strings.Contains(got, "  ") {
			t.Fatalf("Line(%q) = %q", s, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\u202E' {
				t.Fatalf("Line(%q) = %q", s, got)
			}
		}
		if again := Line(got); again != got {
			t.Fatalf("Line(%q) = %q, then %q", s, got, again)
		}
	})
}
