package core

import "testing"

// TestDisposition is RFC 6266: a name for every reader, and nothing that ends the header.
func TestDisposition(t *testing.T) {
	for name, want := range map[string]string{
		"a b.pdf":        `attachment; filename="a b.pdf"; filename*=UTF-8''a%20b.pdf`,
		"Größe.txt":      `attachment; filename="Gr__e.txt"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.txt`,
		"a\"b\\c%41":     `attachment; filename="a_b_c_41"; filename*=UTF-8''a%22b%5Cc%2541`,
		"a\r\nX: y":      `attachment; filename="a__X: y"; filename*=UTF-8''a%0D%0AX%3A%20y`,
		"'; x=y":         `attachment; filename="'; x=y"; filename*=UTF-8''%27%3B%20x%3Dy`,
		"\xff\x00\u202E": `attachment; filename="___"; filename*=UTF-8''%FF%00%E2%80%AE`,
	} {
		if got := disposition(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
