package mailprovisioning

import (
	"fmt"
	"strings"
	"testing"
)

func TestCandidate(t *testing.T) {
	p := New(Options{Domain: "example.com", Reserved: []string{"Boss", "the-desk"}})
	for _, tt := range []struct{ name, email, want string }{
		{"Ada Lovelace", "x@y.z", "ada.lovelace"},
		{"  Ada \t Lovelace ", "x@y.z", "ada.lovelace"},
		{"Jürgen Groß", "x@y.z", "jurgen.gross"},
		{"Søren Æbeltoft", "x@y.z", "soren.aebeltoft"},
		{"O'Neill-Smith", "x@y.z", "oneill.smith"},
		{"J. R. R. Tolkien", "x@y.z", "j.r.r.tolkien"},
		{"..ada..", "x@y.z", "ada"},
		{"Ａｄａ", "x@y.z", "ada"},       // full width
		{"аdа", "grace@y.z", "grace"}, // the letters beside d are Cyrillic
		{"Анна", "anna.k@y.z", "anna.k"},
		{"李", "li@y.z", ""},
		{"", "", ""},
		{"Postmaster", "x@y.z", ""},
		{"post.master", "x@y.z", ""},
		{"Admin 1", "grace@y.z", "grace"},
		{"admin", "support@y.z", ""},
		{"1 Admin", "007admin@y.z", ""},
		{"boss", "x@y.z", ""},
		{"The Desk", "thedesk2@y.z", ""},
		{"007", "x@y.z", ""},
		{"<script>alert(1)</script>", "x@y.z", "scriptalert1script"},
		{"ada\r\nRCPT TO:<eve@example.com>", "x@y.z", "ada.rcpt.toeveexample.com"},
		{strings.Repeat("ab ", 40), "x@y.z", "ab.ab.ab.ab.ab.ab.ab.ab.ab.ab"},
		{"ab", "grace@y.z", "grace"},
	} {
		if got := p.candidate(tt.name, tt.email); got != tt.want {
			t.Errorf("candidate(%q, %q) = %q, want %q", tt.name, tt.email, got, tt.want)
		}
	}
}

// A process keeps the names of locks: they must not be as many as users.
func TestLockNames(t *testing.T) {
	names := map[string]bool{}
	for i := range 5000 {
		id := fmt.Sprint("user-", i)
		names[lockName(id)] = true
		if !names[lockName(id)] {
			t.Fatal("a user has two locks")
		}
	}
	if len(names) > 256 {
		t.Errorf("%d names", len(names))
	}
}

func FuzzLocalPart(f *testing.F) {
	for _, s := range []string{"Ada Lovelace", "Ａ\u0301", "a..b", "\u202Eadmin", "ß.ß", strings.Repeat("x.", 99)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := localPart(s)
		if len(got) > maxLocal || strings.Trim(got, "abcdefghijklmnopqrstuvwxyz0123456789.") != "" || strings.Contains(got, "..") || strings.Trim(got, ".") != got {
			t.Errorf("localPart(%q) = %q", s, got)
		}
		if again := localPart(got); again != got {
			t.Errorf("%q becomes %q", got, again)
		}
	})
}
