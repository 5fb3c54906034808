package jmap

import (
	"encoding/json"
	"time"
)

// Mailbox is a folder or label (RFC 8621 section 2).
type Mailbox struct {
	ID           string  `json:"id"`
	Name         string  `json:"name"`
	ParentID     *string `json:"parentId"`
	Role         *string `json:"role"`
	SortOrder    float64 `json:"sortOrder"`
	TotalEmails  float64 `json:"totalEmails"`
	UnreadEmails float64 `json:"unreadEmails"`
}

// Thread is a conversation (RFC 8621 section 3), its mails oldest first.
type Thread struct {
	ID       string   `json:"id"`
	EmailIDs []string `json:"emailIds"`
}

// Address is a name and an address (RFC 8621 section 4.1.2.3).
type Address struct {
	Name  *string `json:"name"`
	Email string  `json:"email"`
}

// Part is a part of a mail's body (RFC 8621 section 4.1.4).
type Part struct {
	PartID      *string `json:"partId"`
	BlobID      *string `json:"blobId"`
	Size        float64 `json:"size"`
	Name        *string `json:"name"`
	Type        string  `json:"type"`
	Disposition *string `json:"disposition"`
	CID         *string `json:"cid"`
}

// BodyValue is the text of a part (RFC 8621 section 4.1.4).
type BodyValue struct {
	Value       string `json:"value"`
	IsTruncated bool   `json:"isTruncated"`
}

// Email is a mail (RFC 8621 section 4), as far as it was asked for.
type Email struct {
	ID            string               `json:"id"`
	BlobID        string               `json:"blobId"`
	ThreadID      string               `json:"threadId"`
	MailboxIDs    map[string]bool      `json:"mailboxIds"`
	Keywords      map[string]bool      `json:"keywords"`
	ReceivedAt    time.Time            `json:"receivedAt"`
	MessageID     []string             `json:"messageId"`
	References    []string             `json:"references"`
	From          []Address            `json:"from"`
	To            []Address            `json:"to"`
	CC            []Address            `json:"cc"`
	BCC           []Address            `json:"bcc"`
	ReplyTo       []Address            `json:"replyTo"`
	Subject       *string              `json:"subject"`
	SentAt        *time.Time           `json:"sentAt"`
	HasAttachment bool                 `json:"hasAttachment"`
	Preview       string               `json:"preview"`
	BodyValues    map[string]BodyValue `json:"bodyValues"`
	TextBody      []Part               `json:"textBody"`
	HTMLBody      []Part               `json:"htmlBody"`
	Attachments   []Part               `json:"attachments"`
}

// Identity is whom mails may be from (RFC 8621 section 6).
type Identity struct {
	ID    string `json:"id"`
	Email string `json:"email"`
}

// Got is the answer of every /get (RFC 8620 section 5.1).
type Got[T any] struct {
	List     []T      `json:"list"`
	NotFound []string `json:"notFound"`
}

// Queried is the answer of every /query (RFC 8620 section 5.5).
type Queried struct {
	IDs   []string `json:"ids"`
	Total *float64 `json:"total"`
}

// Made is what the server says of a new object.
type Made struct {
	ID     string `json:"id"`
	BlobID string `json:"blobId"`
}

// SetAnswer is the answer of every /set (RFC 8620 section 5.3).
type SetAnswer struct {
	Created    map[string]Made            `json:"created"`
	Updated    map[string]json.RawMessage `json:"updated"`
	Destroyed  []string                   `json:"destroyed"`
	NotCreated map[string]*SetError       `json:"notCreated"`
	NotUpdated map[string]*SetError       `json:"notUpdated"`
}

// Made gives the object that was created under a name, or why it was not. One of which the
// server says nothing was not created.
func (a *SetAnswer) Made(method, name string) (Made, error) {
	if m, ok := a.Created[name]; ok && m.ID != "" {
		return m, nil
	}
	if e := a.NotCreated[name]; e != nil {
		e.Method = method
		return Made{}, e
	}
	return Made{}, ErrProtocol
}

// Changed tells whether an object was updated, or why it was not.
func (a *SetAnswer) Changed(method, id string) error {
	if _, ok := a.Updated[id]; ok {
		return nil
	}
	if e := a.NotUpdated[id]; e != nil {
		e.Method = method
		return e
	}
	return ErrProtocol
}
