package mail

import (
	"encoding/json"

	"github.com/sallyport-auth/sallyport/core"
)

const base = "/api/v1/mail"

// Endpoints of the plugin.
var (
	Threads       = core.NewRoute[ThreadsInput, ThreadList]("GET "+base+"/threads", core.Absolute)
	ReadThread    = core.NewRoute[IDInput, ThreadDetail]("GET "+base+"/threads/:id", core.Absolute)
	UpdateMessage = core.NewRoute[MessageInput, Success]("PUT "+base+"/messages/:id", core.Absolute)
	Attachment    = core.NewRoute[AttachmentInput, core.None]("GET "+base+"/messages/:id/attachments/:blobId", core.Absolute)
	Upload        = core.NewRoute[UploadInput, Uploaded]("POST "+base+"/attachments", core.Absolute)
	Send          = core.NewRoute[SendInput, Sent]("POST "+base+"/send", core.Absolute)
	Labels        = core.NewRoute[core.None, []Label]("GET "+base+"/labels", core.Absolute)
	MakeLabel     = core.NewRoute[LabelInput, Label]("POST "+base+"/labels", core.Absolute)
	Accounts      = core.NewRoute[core.None, []Account]("GET "+base+"/accounts", core.Absolute)
	UpdateAccount = core.NewRoute[AccountInput, Account]("PUT "+base+"/accounts/:id", core.Absolute)
)

// ThreadsInput is the input of Threads.
type ThreadsInput struct {
	MailboxID *string `query:"mailboxId"` // of one label alone
	Q         *string `query:"q"`         // text in any part of a mail, at most 256 characters
	Limit     *string `query:"limit"`     // 1 to 100, default 50
	Offset    *string `query:"offset"`    // 0 to 1000000, default 0
}

// ThreadList is the answer of Threads, the newest first.
type ThreadList struct {
	Threads []ThreadInfo `json:"threads"`
	Total   int          `json:"total"`
}

// ThreadInfo is a thread in a list. Subject, snippet and from are those of its newest mail
// that the list is about.
type ThreadInfo struct {
	ID            string    `json:"id"`
	Subject       string    `json:"subject"`
	Snippet       string    `json:"snippet"`
	From          []Address `json:"from"`
	LastMessageAt core.Time `json:"lastMessageAt"`
	MessageCount  int       `json:"messageCount"`
	IsRead        bool      `json:"isRead"` // all of its mails
	IsFlagged     bool      `json:"isFlagged"`
	HasAttachment bool      `json:"hasAttachment"`
}

// Address is a person in a mail. Name may be empty.
type Address struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// IDInput names one object of the mail server's.
type IDInput struct {
	ID string `path:"id"`
}

// ThreadDetail is the answer of ReadThread, the oldest mail first.
type ThreadDetail struct {
	ID       string    `json:"id"`
	Subject  string    `json:"subject"`
	Messages []Message `json:"messages"`
}

// Message is a mail.
type Message struct {
	ID            string     `json:"id"`
	From          []Address  `json:"from"`
	To            []Address  `json:"to"`
	CC            []Address  `json:"cc"`
	BCC           []Address  `json:"bcc"`
	ReplyTo       []Address  `json:"replyTo"`
	Subject       string     `json:"subject"`
	Date          core.Time  `json:"date"` // when it came
	Preview       string     `json:"preview"`
	BodyText      *string    `json:"bodyText,omitempty"`
	BodyHTML      *string    `json:"bodyHtml,omitempty"` // cleaned
	IsRead        bool       `json:"isRead"`
	IsFlagged     bool       `json:"isFlagged"`
	HasAttachment bool       `json:"hasAttachment"`
	MailboxIDs    []string   `json:"mailboxIds"`
	MessageID     string     `json:"messageId"`
	References    []string   `json:"references"`
	Attachments   []FileInfo `json:"attachments"`
	BodyTruncated bool       `json:"bodyTruncated"`
	ImagesBlocked bool       `json:"imagesBlocked"`
}

// FileInfo is an attachment.
type FileInfo struct {
	ID     string `json:"id"` // the same as BlobID
	BlobID string `json:"blobId"`
	Name   string `json:"name"`
	Type   string `json:"type"`
	Size   int    `json:"size"` // bytes
	CID    string `json:"cid,omitempty"`
	Inline bool   `json:"inline"`
}

// MessageInput is the input of UpdateMessage.
type MessageInput struct {
	ID         string          `path:"id"`
	IsRead     *bool           `json:"isRead"`
	IsFlagged  *bool           `json:"isFlagged"`
	MailboxIDs json.RawMessage `json:"mailboxIds" input:"optional"` // a list of ids, or {id: true}
}

// Success is the answer of what only did something.
type Success struct {
	Success bool `json:"success"`
}

// AttachmentInput is the input of Attachment.
type AttachmentInput struct {
	ID     string `path:"id"`
	BlobID string `path:"blobId"`
}

// UploadInput is the input of Upload.
type UploadInput struct {
	Name    string `json:"name" input:"nonempty,max=255"`
	Type    string `json:"type" input:"nonempty,max=127"`
	Content string `json:"content" input:"nonempty"` // base64
}

// Uploaded is the answer of Upload.
type Uploaded struct {
	BlobID string `json:"blobId"`
	Name   string `json:"name"`
	Type   string `json:"type"`
	Size   int    `json:"size"`
}

// Person is somebody whom a mail goes to.
type Person struct {
	Email string  `json:"email"`
	Name  *string `json:"name"`
}

// File is a blob that goes with a mail.
type File struct {
	BlobID string  `json:"blobId"`
	Name   string  `json:"name" input:"nonempty,max=255"`
	Type   *string `json:"type" input:"max=127"`
}

// SendInput is the input of Send.
type SendInput struct {
	To          []Person        `json:"to" input:"nonempty"`
	CC          *[]Person       `json:"cc"`
	BCC         *[]Person       `json:"bcc"`
	Subject     string          `json:"subject" input:"nonempty,max=998"`
	Body        string          `json:"body" input:"nonempty,max=500000"`
	HTMLBody    *string         `json:"htmlBody" input:"max=500000"`
	InReplyTo   *string         `json:"inReplyTo"`
	References  json.RawMessage `json:"references" input:"optional"` // a text, or a list of texts
	Attachments *[]File         `json:"attachments" input:"max=20"`
}

// Sent is the answer of Send.
type Sent struct {
	EmailID string `json:"emailId"`
}

// Label is a mailbox.
type Label struct {
	ID           string  `json:"id"`
	Name         string  `json:"name"`
	Role         *string `json:"role"`
	TotalEmails  int     `json:"totalEmails"`
	UnreadEmails int     `json:"unreadEmails"`
	ParentID     *string `json:"parentId"`
	SortOrder    int     `json:"sortOrder"`
}

// LabelInput is the input of MakeLabel.
type LabelInput struct {
	Role string `json:"role" input:"nonempty"` // drafts, sent, archive, trash or junk
}

// Account is the caller's mail account; a user has one.
type Account struct {
	ID          string `json:"id"`
	UserID      string `json:"userId"`
	Email       string `json:"email"`
	DisplayName string `json:"displayName"`
	Signature   string `json:"signature"`
	Provider    string `json:"provider"`  // always "jmap"
	IsDefault   bool   `json:"isDefault"` // always true
}

// AccountInput is the input of UpdateAccount. null takes back what was set.
type AccountInput struct {
	ID          string           `path:"id"`
	DisplayName core.Opt[string] `json:"displayName" input:"max=100"`
	Signature   core.Opt[string] `json:"signature" input:"max=10000"`
}
