package mail

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"mime"
	"path"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/mail/jmap"
)

// maxFile is the largest attachment that is handed out, in bytes.
const maxFile = 25 << 20

// mailboxSet reads mailboxIds, a list of ids or {id: true}: 1 to 20 of them.
func mailboxSet(raw json.RawMessage) (map[string]bool, error) {
	var list []string
	set := map[string]bool{}
	if json.Unmarshal(raw, &list) == nil {
		for _, id := range list {
			set[id] = true
		}
	} else if json.Unmarshal(raw, &set) != nil {
		set = nil
	}
	for id, in := range set {
		if !in || !jmapID.MatchString(id) {
			set = nil
			break
		}
	}
	if len(set) < 1 || len(set) > 20 {
		return nil, core.ErrValidation.WithMessage("[body.mailboxIds] want 1 to 20 ids of labels")
	}
	return set, nil
}

// updateMessage changes what was sent and nothing else: each keyword by a patch of its own
// (RFC 8620 section 5.3), so that two at a time do not undo each other.
func (p *Plugin) updateMessage(ctx context.Context, c *core.Call, in MessageInput) (Success, error) {
	patch := map[string]any{}
	keyword := func(name string, on *bool) {
		if on != nil {
			patch["keywords/"+name] = nil
			if *on {
				patch["keywords/"+name] = true
			}
		}
	}
	keyword(seen, in.IsRead)
	keyword(flagged, in.IsFlagged)
	if len(in.MailboxIDs) > 0 && string(in.MailboxIDs) != "null" {
		set, err := mailboxSet(in.MailboxIDs)
		if err != nil {
			return Success{}, err
		}
		patch["mailboxIds"] = set
	}
	if len(patch) == 0 {
		return Success{}, core.ErrValidation.WithMessage("[body] want isRead, isFlagged or mailboxIds")
	}
	m, err := p.open(ctx, c)
	if err != nil {
		return Success{}, err
	}
	if !jmapID.MatchString(in.ID) {
		return Success{}, ErrMessageNotFound
	}
	err = m.update(ctx, in.ID, patch)
	return Success{err == nil}, failure(err)
}

func (m *mailbox) update(ctx context.Context, id string, patch map[string]any) error {
	var answer jmap.SetAnswer
	const method = "Email/set"
	if err := m.do(ctx, jmap.Call{Method: method, Args: jmap.Args{"update": map[string]any{id: patch}}, Into: &answer}); err != nil {
		return err
	}
	return answer.Changed(method, id)
}

// attachment hands out a file of a message: the message says which blobs are its.
func (p *Plugin) attachment(ctx context.Context, c *core.Call, in AttachmentInput) (core.None, error) {
	m, err := p.open(ctx, c)
	if err != nil {
		return core.None{}, err
	}
	if !jmapID.MatchString(in.ID) || !jmapID.MatchString(in.BlobID) {
		return core.None{}, ErrAttachmentNotFound
	}
	list, err := m.emails(ctx, []string{in.ID}, jmap.Args{"properties": []string{"id", "attachments"}, "bodyProperties": partProperties})
	if err != nil {
		return core.None{}, failure(err)
	}
	if len(list) != 1 || list[0].ID != in.ID {
		return core.None{}, ErrMessageNotFound
	}
	i := slices.IndexFunc(list[0].Attachments, func(p jmap.Part) bool { return text(p.BlobID) == in.BlobID })
	if i < 0 {
		return core.None{}, ErrAttachmentNotFound
	}
	part := list[0].Attachments[i]
	raw, err := p.client.Download(ctx, m.login, m.session, in.BlobID, maxFile)
	switch {
	case errors.Is(err, jmap.ErrTooLarge):
		return core.None{}, ErrTooLarge.Because(err)
	case errors.Is(err, jmap.ErrNotFound):
		return core.None{}, ErrAttachmentNotFound.Because(err)
	case err != nil:
		m.noted(err)
		return core.None{}, failure(err)
	}
	c.AnswerFile(fileName(&part), savedType(part.Type), raw)
	return core.None{}, nil
}

func (p *Plugin) upload(ctx context.Context, c *core.Call, in UploadInput) (Uploaded, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(in.Content)
	if err != nil {
		return Uploaded{}, core.ErrValidation.WithMessage("[body.content] want base64")
	}
	if !oneLine(in.Name) {
		return Uploaded{}, core.ErrValidation.WithMessage("[body.name] want one line of visible text")
	}
	if mediaType(in.Type) != in.Type {
		return Uploaded{}, core.ErrValidation.WithMessage("[body.type] want a media type in lower case, without parameters")
	}
	m, err := p.open(ctx, c)
	if err != nil {
		return Uploaded{}, err
	}
	// As bytes: of another type the server might look inside.
	id, err := p.client.Upload(ctx, m.login, m.session, "application/octet-stream", raw)
	if err == nil && !jmapID.MatchString(id) {
		err = jmap.ErrProtocol
	}
	m.noted(err)
	return Uploaded{id, in.Name, in.Type, len(raw)}, failure(err)
}

// fileName is a name that a file may be saved under: one line, no path, no tricks with the
// direction of the text.
func fileName(p *jmap.Part) string {
	name := path.Base(strings.ReplaceAll(line(text(p.Name), maxName), `\`, "/"))
	name = strings.Trim(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"|?*`, r) { // Windows takes none of them
			return '_'
		}
		return r
	}, name), " .")
	if name == "" || name == "/" {
		return "attachment"
	}
	return name
}

// mediaType is a media type without parameters (RFC 6838 section 4.2), or that of bytes.
func mediaType(s string) string {
	t, _, err := mime.ParseMediaType(s)
	if err != nil || len(t) > 127 || strings.Count(t, "/") != 1 {
		return "application/octet-stream"
	}
	return t
}

// passive are types that no browser runs; all others are bytes.
var passive = []string{"application/pdf", "application/zip", "audio/mpeg", "audio/ogg", "image/gif", "image/jpeg", "image/png", "image/webp",
	"text/csv", "text/plain", "video/mp4", "video/webm"}

func savedType(s string) string {
	if t := mediaType(s); slices.Contains(passive, t) {
		return t
	}
	return "application/octet-stream"
}
