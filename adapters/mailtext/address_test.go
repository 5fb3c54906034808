package mailtext

import (
	"errors"
	"net/mail"
	"strings"
	"testing"
)

func TestCheckAddress(t *testing.T) {
	label := strings.Repeat("d", 63)
	tests := []struct {
		address string
		ok      bool
	}{
		{"ada@example.com", true},
		{"ada+tag@mail.example.com", true},
		{"o'brien@example.com", true},
		{"!#$%&'*+-/=?^_`{|}~@example.com", true},
		{"root@localhost", true},
		{"a@xn--bcher-kva.example", true},
		{strings.Repeat("a", 64) + "@example.com", true},
		{"a@" + label + ".com", true},

		{"", false},
		{"ada", false},
		{"@example.com", false},
		{"ada@", false},
		{"ada@@example.com", false},
		{"a@b@example.com", false},
		{".ada@example.com", false},
		{"ada.@example.com", false},
		{"a..b@example.com", false},
		{"ada@example..com", false},
		{"ada@.example.com", false},
		{"ada@example.com.", false},
		{"ada@-example.com", false},
		{"ada@example-.com", false},
		{"ada@exa_mple.com", false},
		{"ada@[127.0.0.1]", false},
		{`"ada"@example.com`, false},
		{`"a@b> RCPT TO:<eve"@example.com`, false},
		{"Ada <ada@example.com>", false},
		{"<ada@example.com>", false},
		{"ada@example.com>", false},
		{"ada@example.com> NOTIFY=NEVER", false},
		{"ada(comment)@example.com", false},
		{"ada@example.com, eve@example.com", false},
		{"ada@example.com\r\nRCPT TO:<eve@example.com>", false},
		{"ada\r@example.com", false},
		{"ada\n@example.com", false},
		{"ada@example.com\n", false},
		{"ada\x00@example.com", false},
		{"a da@example.com", false},
		{" ada@example.com", false},
		{"ada@example.com ", false},
		{"ada\t@example.com", false},
		{"ada\x7f@example.com", false},
		{"ädä@example.com", false},
		{"ada@bücher.example", false},
		{strings.Repeat("a", 65) + "@example.com", false},
		{"a@d" + label + ".com", false},
		{"a@" + strings.Repeat(label+".", 4) + "com", false},
	}
	for _, tt := range tests {
		err := CheckAddress(tt.address)
		if tt.ok && err != nil {
			t.Errorf("CheckAddress(%q) = %v, want nil", tt.address, err)
		}
		if !tt.ok && !errors.Is(err, ErrAddress) {
			t.Errorf("CheckAddress(%q) = %v, want ErrAddress", tt.address, err)
		}
	}
}

func FuzzCheckAddress(f *testing.F) {
	for _, s := range []string{"ada@example.com", `"a b"@example.com`, "a@b\r\n", "A <a@b.c>", "a@[::1]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if CheckAddress(s) != nil {
			return
		}
		if strings.ContainsAny(s, "\r\n\x00 <>\"(),:;\\[]\t") || strings.Count(s, "@") != 1 {
			t.Fatalf("%q was accepted", s)
		}
		// What is accepted means the same to an independent parser.
		a, err := mail.ParseAddress(s)
		if err != nil || a.Address != s || a.Name != "" || a.String() != "<"+s+">" {
			t.Fatalf("%q was accepted, net/mail reads %v, %v", s, a, err)
		}
	})
}
