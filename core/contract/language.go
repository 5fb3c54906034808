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
		for _, tag := range LanguageTags(value) {
			primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
			out = append(out, primary)
		}
	}
	return out
}

// LanguageTags lists the tags of a value of Accept-Language as they are written, the most
// wanted first, at most 32. What has no primary subtag of letters, and what has a weight of 0 or
// one that is none, is left out.
func LanguageTags(value string) []string {
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
		tag = strings.TrimSpace(tag)
		w := weighted{tag, 1}
		if text, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q="); ok {
			q, err := strconv.ParseFloat(text, 64)
			if err != nil || !(q > 0 && q <= 1) {
				continue
			}
			w.q = q
		}
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if primary != "" && strings.Trim(primary, "abcdefghijklmnopqrstuvwxyz") == "" {
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
