package contract

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// maxLanguages bounds the work that one header makes.
const maxLanguages = 32

// MatchLanguage chooses among have, languages such as "en" and "de", by what somebody
// reads: values of Accept-Language (RFC 9110 section 12.5.4) or single tags (RFC 5646),
// the more wanted value first. Only the primary subtag counts, so "de-CH" is "de". Empty
// if none fits.
func MatchLanguage(have []string, wanted ...string) string {
	for _, tag := range Languages(wanted...) {
		if slices.Contains(have, tag) {
			return tag
		}
	}
	return ""
}

// Languages lists what somebody reads, as MatchLanguage understands it: primary subtags in
// lower case, the most wanted first.
func Languages(wanted ...string) (out []string) {
	for _, value := range wanted {
		out = append(out, readLanguages(value)...)
	}
	return out
}

// readLanguages lists the primary subtags of an Accept-Language value, the most wanted
// first. What is malformed, and what its weight 0 refuses, is left out.
func readLanguages(value string) []string {
	type weighted struct {
		tag string
		q   float64
	}
	var list []weighted
	for item := range strings.SplitSeq(value, ",") {
		if len(list) == maxLanguages {
			break
		}
		tag, params, _ := strings.Cut(item, ";")
		tag, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		w := weighted{tag, 1}
		if text, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q="); ok {
			q, err := strconv.ParseFloat(text, 64)
			if err != nil || !(q > 0 && q <= 1) {
				continue
			}
			w.q = q
		}
		if tag != "" && tag != "*" && strings.Trim(tag, "abcdefghijklmnopqrstuvwxyz") == "" {
			list = append(list, w)
		}
	}
	slices.SortStableFunc(list, func(a, b weighted) int { return cmp.Compare(b.q, a.q) })
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = w.tag
	}
	return out
}
