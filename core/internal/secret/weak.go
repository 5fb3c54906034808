package secret

import "math"

// bits estimates the entropy of a text as if each character had been drawn from those
// that occur in it.
func bits(distinct, length int) float64 { return float64(length) * math.Log2(float64(distinct)) }

// periodic reports whether the text is a short piece, up to 8 characters, written again
// and again, which the estimate of bits does not see.
func periodic(s []rune) bool {
	for p := 1; p <= 8 && p < len(s); p++ {
		same := true
		for i := p; i < len(s) && same; i++ {
			same = s[i] == s[i-p]
		}
		if same {
			return true
		}
	}
	return false
}
