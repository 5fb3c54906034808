package contract

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// MailLayout is a file beside templates that is none itself: the page around them.
const MailLayout = "layout.html"

const maxMailFile = 256 << 10 // bytes

// ReadMails reads the templates in the folder dir of files, for instance a plugin's
// embed.FS. One is two files, of a name and, for another language than English, its primary subtag:
//
//   - magic-link.txt, magic-link.de.txt: the first line is "Subject: ...", the second
//     is empty, the rest is the plain text.
//   - magic-link.html, magic-link.de.html: the content of the page.
//
// Language is as the file has it: empty without a subtag. The error, if any, names the file.
// MailLayout and files with other endings are left out.
func ReadMails(files fs.FS, dir string) ([]MailTemplate, error) {
	list, err := fs.ReadDir(files, dir)
	if err != nil {
		return nil, err
	}
	halves := map[string]int{}
	for _, f := range list {
		stem, isText := strings.CutSuffix(f.Name(), ".txt")
		if !isText {
			var isHTML bool
			if stem, isHTML = strings.CutSuffix(f.Name(), ".html"); !isHTML || f.Name() == MailLayout {
				continue
			}
		}
		halves[stem]++
	}
	out := make([]MailTemplate, 0, len(halves))
	for _, stem := range slices.Sorted(maps.Keys(halves)) {
		if halves[stem] != 2 {
			return nil, fmt.Errorf("template %q needs both %s.txt and %s.html in the same place", stem, stem, stem)
		}
		t, err := readMail(files, dir, stem)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func readMail(files fs.FS, dir, stem string) (t MailTemplate, err error) {
	dot := false
	t.Name, t.Language, dot = strings.Cut(stem, ".")
	if dot && t.Language == "" {
		return t, fmt.Errorf("mail template %q: a dot and no language behind it", stem)
	}
	if err := t.Check(); err != nil {
		return t, err
	}
	text, err := readMailFile(files, dir, stem+".txt")
	if err != nil {
		return t, err
	}
	if t.Subject, t.Text, err = splitSubject(text); err != nil {
		return t, fmt.Errorf("%s.txt: %w", stem, err)
	}
	t.HTML, err = readMailFile(files, dir, stem+".html")
	return t, err
}

// Check tells whether name and language have their form.
func (t MailTemplate) Check() error {
	low := func(s string, more string) bool {
		return strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz"+more) == ""
	}
	if t.Name == "" || !low(t.Name, "0123456789-_") {
		return fmt.Errorf("mail template %q: want a name of letters, digits, hyphens and underscores", t.Name)
	}
	if l := t.Language; l != "" && (len(l) < 2 || len(l) > 3 || l != strings.ToLower(l) || !low(l, "")) {
		return fmt.Errorf(`mail template %q: %q is not a language such as "de"`, t.Name, l)
	}
	return nil
}

// splitSubject takes "Subject: ..." and the empty line after it off a template's source.
func splitSubject(source string) (subject, body string, err error) {
	first, rest, _ := strings.Cut(source, "\n")
	subject, ok := strings.CutPrefix(first, "Subject: ")
	if !ok || strings.TrimSpace(subject) == "" {
		return "", "", errors.New(`the first line must be "Subject: ..."`)
	}
	body, ok = strings.CutPrefix(rest, "\n")
	if !ok || strings.TrimSpace(body) == "" {
		return "", "", errors.New("after the subject, an empty line and the text must follow")
	}
	return subject, body, nil
}

// readMailFile returns a file of at most 256 KiB with "\n" at the end of every line.
func readMailFile(files fs.FS, dir, name string) (string, error) {
	f, err := files.Open(strings.TrimPrefix(dir+"/"+name, "./"))
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxMailFile+1))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	if len(b) > maxMailFile {
		return "", fmt.Errorf("%s is longer than %d bytes", name, maxMailFile)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n"), nil
}
