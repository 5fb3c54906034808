package contract_test

import (
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core/contract"
)

func TestMatchLanguage(t *testing.T) {
	have := []string{"en", "de", "fr"}
	for _, tt := range []struct {
		want   string
		wanted []string
	}{
		{"", nil},
		{"", []string{""}},
		{"de", []string{"de"}},
		{"de", []string{"DE-ch-1996"}},
		{"fr", []string{"it, fr-CH;q=0.9, en;q=0.8, *;q=0.5"}},
		{"de", []string{"en;q=0.5,de"}},
		{"en", []string{"en;q=0.7, de; q = 0.7"}},
		{"de", []string{"", "es", "de", "fr"}}, // the more wanted value first
		{"fr", []string{"fr", "de"}},
		{"", []string{"*"}},
		{"", []string{"de;q=0"}},
		{"en", []string{"de;q=x, fr;q=NaN, fr;q=2, de;q=-1, en"}},
		{"", []string{"d\x00e, <de>, de_DE"}},
		{"", []string{strings.Repeat("xx,", 1000) + "de"}},
		{"de", []string{strings.Repeat(" , ", 1000) + "de"}},
	} {
		if got := contract.MatchLanguage(have, tt.wanted...); got != tt.want {
			t.Errorf("MatchLanguage(%.60q) = %q, want %q", tt.wanted, got, tt.want)
		}
	}
}

func TestLanguageTags(t *testing.T) {
	got := strings.Join(contract.LanguageTags("de_DE, fr;q=0.4, *, de-CH;q=0.9, pt-BR, 3a, -x, en;q=0"), " ")
	if want := "pt-BR de-CH fr"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzMatchLanguage(f *testing.F) {
	f.Add("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5")
	f.Fuzz(func(t *testing.T, header string) {
		if got := contract.MatchLanguage([]string{"en", "de"}, header); got != "" && !strings.Contains(strings.ToLower(header), got) {
			t.Errorf("%q gave %q", header, got)
		}
	})
}
