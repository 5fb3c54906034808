package mail

import (
	"html"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"

	"github.com/sallyport-auth/sallyport/plugins/mail/jmap"
)

// policy is what of a stranger's HTML may get into a page: text, structure, and links that
// open elsewhere and tell nobody where from. No styles, no ids, no forms; images keep their
// text and size, and lose their address, so that none is fetched.
func policy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("abbr", "b", "blockquote", "br", "caption", "center", "cite", "code", "dd", "del", "div", "dl", "dt", "em",
		"h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "samp", "small", "span",
		"strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var")
	p.AllowNoAttrs().OnElements("span", "img")
	// What is inside is no text of the mail's.
	p.SkipElementsContent("svg", "math", "template", "title", "xmp", "plaintext", "select", "textarea", "audio", "video", "canvas", "applet")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true) // with rel="noopener"
	p.AllowAttrs("alt").OnElements("img")
	p.AllowAttrs("width", "height").Matching(regexp.MustCompile(`^[0-9]{1,4}%?$`)).OnElements("img", "table", "td", "th")
	p.AllowAttrs("colspan", "rowspan").Matching(regexp.MustCompile(`^[0-9]{1,3}$`)).OnElements("td", "th")
	p.AllowAttrs("border", "cellpadding", "cellspacing").Matching(regexp.MustCompile(`^[0-9]{1,2}$`)).OnElements("table")
	p.AllowAttrs("align").Matching(regexp.MustCompile(`(?i)^(left|right|center|justify)$`)).OnElements("p", "div", "td", "th", "tr", "table", "h1", "h2", "h3", "h4")
	p.AllowAttrs("valign").Matching(regexp.MustCompile(`(?i)^(top|middle|bottom|baseline)$`)).OnElements("td", "th", "tr")
	p.AllowAttrs("dir").Matching(regexp.MustCompile(`(?i)^(ltr|rtl|auto)$`)).OnElements("p", "div", "span", "td", "table", "blockquote")
	return p
}

var (
	// cleaner is safe for use by several goroutines, and never changed.
	cleaner = policy()
	// bare leaves nothing but text, with a space where a tag was: words of two blocks stay two.
	bare = bluemonday.StrictPolicy().AddSpaceWhenStrippingTag(true)

	imageTag = regexp.MustCompile(`(?i)<(img|image)[\s/]`)
)

const (
	// maxHTML is how much HTML of a mail is cleaned, in bytes.
	maxHTML = 512 << 10
	// maxParts is of how many parts a mail's text and its HTML are put together: a server that
	// names one of megabytes many thousand times must not use up the memory.
	maxParts = 100
)

// clean makes HTML harmless; blocked tells that it had images.
func clean(s string) (out string, blocked bool) {
	s = strings.ToValidUTF8(s[:min(len(s), maxHTML)], "\uFFFD")
	return block(cleaner.Sanitize(block(s))), imageTag.MatchString(s)
}

// stripped is the text of HTML, for a line of a list.
func stripped(s string) string { return html.UnescapeString(bare.Sanitize(s)) }

// bodies are a mail's text and HTML; nil where it has none. Parts of plain text among the HTML
// become HTML, since the two may take turns in a mail.
func bodies(e *jmap.Email) (plain, rich *string, truncated, images bool) {
	var t, h strings.Builder
	value := func(p jmap.Part) string {
		v := e.BodyValues[text(p.PartID)]
		truncated = truncated || v.IsTruncated
		return v.Value
	}
	truncated = len(e.TextBody) > maxParts || len(e.HTMLBody) > maxParts
	for _, p := range e.TextBody[:min(len(e.TextBody), maxParts)] {
		if p.Type == "text/plain" {
			t.WriteString(value(p))
			plain = new(string)
		}
	}
	for _, p := range e.HTMLBody[:min(len(e.HTMLBody), maxParts)] {
		if h.Len() > maxHTML {
			break // truncated, see below
		}
		switch v := value(p); p.Type {
		case "text/html":
			h.WriteString(v)
			rich = new(string)
		case "text/plain":
			h.WriteString("<pre>" + html.EscapeString(v) + "</pre>")
		}
	}
	if plain != nil {
		*plain = block(t.String())
	}
	if rich != nil {
		truncated = truncated || h.Len() > maxHTML
		*rich, images = clean(h.String())
	}
	return plain, rich, truncated, images
}
