package mail

import (
	"slices"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/plugins/mail/jmap"
)

// maxRecipients is how many people one message goes to, in to, cc and bcc together.
const maxRecipients = 100

// draft is a message that is to be sent, checked.
type draft struct {
	to, cc, bcc []jmap.Address
	inReplyTo   []string
	references  []string
	id          string // of the message, without brackets
	in          SendInput
}

// recipients are the addresses that it goes to, each once.
func (d *draft) recipients() (list []string) {
	for _, a := range slices.Concat(d.to, d.cc, d.bcc) {
		if !slices.Contains(list, a.Email) {
			list = append(list, a.Email)
		}
	}
	return list
}

// check holds what was sent to the forms of RFC 5322: nothing of it can end a header, or name
// another recipient.
func (in SendInput) check() (*draft, error) {
	d := &draft{in: in}
	fault := func(where, what string) (*draft, error) {
		return nil, core.ErrValidation.WithMessage("[body." + where + "] " + what)
	}
	for _, l := range []struct {
		name string
		from []Person
		to   *[]jmap.Address
	}{{"to", in.To, &d.to}, {"cc", list(in.CC), &d.cc}, {"bcc", list(in.BCC), &d.bcc}} {
		for _, person := range l.from {
			if contract.CheckAddress(person.Email) != nil {
				return fault(l.name, "want bare mail addresses")
			}
			if name := text(person.Name); !oneLine(name) || len(name) > maxName {
				return fault(l.name, "want names of one line of visible text")
			}
			*l.to = append(*l.to, jmap.Address{Name: person.Name, Email: person.Email})
		}
	}
	if n := len(d.to) + len(d.cc) + len(d.bcc); n > maxRecipients {
		return fault("to", "want at most 100 recipients in to, cc and bcc")
	}
	if !oneLine(in.Subject) {
		return fault("subject", "want one line of visible text")
	}
	var ok bool
	if d.references, ok = references(in.References); !ok {
		return fault("references", "want ids of messages")
	}
	if s := text(in.InReplyTo); s != "" {
		if d.inReplyTo, ok = references([]byte(quoted(s))); !ok || len(d.inReplyTo) != 1 {
			return fault("inReplyTo", "want the id of a message")
		}
	}
	for _, f := range list(in.Attachments) {
		if !jmapID.MatchString(f.BlobID) || !oneLine(f.Name) || f.Type != nil && mediaType(*f.Type) != *f.Type {
			return fault("attachments", "want blobId, name and type of a file")
		}
	}
	return d, nil
}

func list[T any](l *[]T) []T {
	if l == nil {
		return nil
	}
	return *l
}

// email is the mail as Email/set takes it (RFC 8621 section 4.6): the server writes headers
// and encodings, so that none of the texts can become another.
func (d *draft) email(from jmap.Address, draftsID string) map[string]any {
	values := map[string]any{"text": map[string]any{"value": d.in.Body}}
	e := map[string]any{
		"mailboxIds": map[string]bool{draftsID: true}, "keywords": map[string]bool{drafting: true, seen: true},
		"from": []jmap.Address{from}, "to": d.to, "subject": d.in.Subject, "messageId": []string{d.id},
		"textBody": []any{map[string]any{"partId": "text", "type": "text/plain"}}, "bodyValues": values,
	}
	if html := text(d.in.HTMLBody); html != "" {
		values["html"] = map[string]any{"value": html}
		e["htmlBody"] = []any{map[string]any{"partId": "html", "type": "text/html"}}
	}
	var files []any
	for _, f := range list(d.in.Attachments) {
		t := "application/octet-stream"
		if f.Type != nil {
			t = *f.Type
		}
		files = append(files, map[string]any{"blobId": f.BlobID, "name": f.Name, "type": t, "disposition": "attachment"})
	}
	if files != nil {
		e["attachments"] = files
	}
	for name, l := range map[string][]jmap.Address{"cc": d.cc, "bcc": d.bcc} {
		if len(l) > 0 {
			e[name] = l
		}
	}
	for name, ids := range map[string][]string{"inReplyTo": d.inReplyTo, "references": d.references} {
		if len(ids) > 0 {
			e[name] = ids
		}
	}
	return e
}
