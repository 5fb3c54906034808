package mail

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/mail/jmap"
)

const (
	// maxMessages is how many mails of a thread are read: the newest.
	maxMessages = 100
	// bodyBudget is what the texts of a thread may have together, in bytes.
	bodyBudget = 4 << 20
)

var (
	detailed = []string{"id", "threadId", "mailboxIds", "keywords", "receivedAt", "messageId", "references", "from", "to", "cc", "bcc", "replyTo",
		"subject", "preview", "hasAttachment", "textBody", "htmlBody", "attachments", "bodyValues"}
	partProperties = []string{"partId", "blobId", "size", "name", "type", "disposition", "cid"}
)

func (p *Plugin) readThread(ctx context.Context, c *core.Call, in IDInput) (ThreadDetail, error) {
	m, err := p.open(ctx, c)
	if err != nil {
		return ThreadDetail{}, err
	}
	if !jmapID.MatchString(in.ID) {
		return ThreadDetail{}, ErrThreadNotFound
	}
	var got jmap.Got[jmap.Thread]
	if err := m.do(ctx, jmap.Call{Method: "Thread/get", Args: jmap.Args{"ids": []string{in.ID}}, Into: &got}); err != nil {
		return ThreadDetail{}, failure(err)
	}
	if len(got.List) != 1 || got.List[0].ID != in.ID || len(got.List[0].EmailIDs) == 0 {
		return ThreadDetail{}, ErrThreadNotFound
	}
	ids := got.List[0].EmailIDs
	list, err := m.read(ctx, ids[max(0, len(ids)-maxMessages):])
	if err != nil {
		return ThreadDetail{}, failure(err)
	}
	if len(list) == 0 {
		return ThreadDetail{}, ErrThreadNotFound // it has gone meanwhile
	}
	// Servers keep whole seconds. Within one, a reply names more mails than what it answers (RFC 5322, section 3.6.4).
	slices.SortStableFunc(list, func(a, b jmap.Email) int {
		return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), cmp.Compare(len(a.References), len(b.References)))
	})
	out := ThreadDetail{ID: in.ID, Messages: make([]Message, len(list))}
	for i := range list {
		out.Messages[i] = message(&list[i])
	}
	out.Subject = out.Messages[0].Subject
	return out, nil
}

// read reads mails with their texts. Where these are more than can be read at once, they are
// cut shorter, then left out, and in the end the heads with them: no mail keeps its thread from being read.
func (m *mailbox) read(ctx context.Context, ids []string) (list []jmap.Email, err error) {
	most := min(maxHTML, bodyBudget/(2*len(ids)))
	for _, size := range []int{most, most / 16, 0} {
		list, err = m.emails(ctx, ids, jmap.Args{"properties": detailed, "bodyProperties": partProperties,
			"fetchTextBodyValues": size > 0, "fetchHTMLBodyValues": size > 0, "maxBodyValueBytes": size})
		if errors.Is(err, jmap.ErrTooLarge) {
			continue
		}
		if size == 0 {
			for i := range list {
				list[i].BodyValues = missing(&list[i])
			}
		}
		return list, err
	}
	list, err = m.emails(ctx, ids, jmap.Args{"properties": least})
	for i := range list {
		list[i].HTMLBody, list[i].BodyValues = []jmap.Part{{Type: "text/html"}}, map[string]jmap.BodyValue{"": {IsTruncated: true}}
	}
	return list, err
}

// missing says of all of a mail's texts that they were cut.
func missing(e *jmap.Email) map[string]jmap.BodyValue {
	out := map[string]jmap.BodyValue{}
	for _, p := range slices.Concat(e.TextBody, e.HTMLBody) {
		out[text(p.PartID)] = jmap.BodyValue{IsTruncated: true}
	}
	return out
}

func message(e *jmap.Email) Message {
	m := Message{ID: e.ID, From: addresses(e.From), To: addresses(e.To), CC: addresses(e.CC), BCC: addresses(e.BCC), ReplyTo: addresses(e.ReplyTo),
		Subject: line(text(e.Subject), maxSubject), Date: core.Time(e.ReceivedAt), IsRead: e.Keywords[seen], IsFlagged: e.Keywords[flagged],
		HasAttachment: e.HasAttachment, MailboxIDs: slices.Sorted(maps.Keys(e.MailboxIDs)), References: []string{}, Attachments: []FileInfo{}}
	if len(e.MessageID) > 0 {
		m.MessageID = line(e.MessageID[0], maxMessageID)
	}
	for _, id := range e.References[max(0, len(e.References)-maxRefs):] {
		m.References = append(m.References, line(id, maxMessageID))
	}
	preview := e.Preview
	if len(e.TextBody) > 0 && e.TextBody[0].Type == "text/html" {
		preview = stripped(preview)
	}
	m.Preview = line(preview, maxSnippet)
	m.BodyText, m.BodyHTML, m.BodyTruncated, m.ImagesBlocked = bodies(e)
	for _, part := range e.Attachments[:min(len(e.Attachments), maxFiles)] {
		if part.BlobID != nil {
			m.Attachments = append(m.Attachments, FileInfo{ID: *part.BlobID, BlobID: *part.BlobID, Name: fileName(&part), Type: mediaType(part.Type),
				Size: size(part.Size), CID: line(text(part.CID), maxName), Inline: text(part.Disposition) == "inline"})
		}
	}
	return m
}

// size is a number of bytes as servers write it.
func size(n float64) int {
	if n < 0 || n > 1<<52 {
		return 0
	}
	return int(n)
}
