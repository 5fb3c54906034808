package mail

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/mail/jmap"
)

const (
	maxOffset = 1_000_000
	// perThread is of how many mails of a thread, the newest, it is asked whether they are read.
	perThread = 50
	seen      = "$seen"
	flagged   = "$flagged"
	drafting  = "$draft"
)

// number reads a whole number of the query.
func number(name string, s *string, least, most, otherwise int) (int, error) {
	if s == nil {
		return otherwise, nil
	}
	n, err := strconv.Atoi(*s)
	if err != nil || n < least || n > most {
		return 0, core.ErrValidation.WithMessage("[query." + name + "] want a whole number from " + strconv.Itoa(least) + " to " + strconv.Itoa(most))
	}
	return n, nil
}

// filter is what of the mailbox is listed (RFC 8621 section 4.4.1).
func (in *ThreadsInput) filter() (map[string]any, error) {
	f := map[string]any{}
	if in.MailboxID != nil && *in.MailboxID != "" {
		if !jmapID.MatchString(*in.MailboxID) {
			return nil, core.ErrValidation.WithMessage("[query.mailboxId] is none")
		}
		f["inMailbox"] = *in.MailboxID
	}
	if in.Q != nil && *in.Q != "" {
		if utf8.RuneCountInString(*in.Q) > 256 {
			return nil, core.ErrValidation.WithMessage("[query.q] want at most 256 characters")
		}
		f["text"] = *in.Q
	}
	return f, nil
}

// least is what is read of a mail whose head is too large.
var least = []string{"id", "threadId", "mailboxIds", "receivedAt", "keywords", "hasAttachment"}

var listed = []string{"id", "threadId", "subject", "from", "receivedAt", "preview", "keywords", "hasAttachment", "textBody"}

func (p *Plugin) threads(ctx context.Context, c *core.Call, in ThreadsInput) (ThreadList, error) {
	limit, err := number("limit", in.Limit, 1, 100, 50)
	if err != nil {
		return ThreadList{}, err
	}
	offset, err := number("offset", in.Offset, 0, maxOffset, 0)
	if err != nil {
		return ThreadList{}, err
	}
	filter, err := in.filter()
	if err != nil {
		return ThreadList{}, err
	}
	m, err := p.open(ctx, c)
	if err != nil {
		return ThreadList{}, err
	}
	found, newest, threads, err := m.query(ctx, jmap.Args{"filter": filter, "position": offset, "limit": limit})
	if err != nil {
		return ThreadList{}, failure(err)
	}
	all, err := m.flags(ctx, threads)
	if err != nil {
		return ThreadList{}, failure(err)
	}
	out := ThreadList{Threads: summaries(found.IDs, newest, threads, all), Total: offset + len(found.IDs)}
	if found.Total != nil && *found.Total >= 0 && *found.Total < 1<<31 {
		out.Total = int(*found.Total)
	}
	return out, nil
}

// query finds threads, with the newest mail of each that the filter takes.
func (m *mailbox) query(ctx context.Context, args jmap.Args) (found jmap.Queried, newest []jmap.Email, threads []jmap.Thread, err error) {
	args["sort"] = []any{map[string]any{"property": "receivedAt", "isAscending": false}}
	args["collapseThreads"], args["calculateTotal"] = true, true
	query := jmap.Call{Method: "Email/query", Args: args, Into: &found}
	var mails jmap.Got[jmap.Email]
	var got jmap.Got[jmap.Thread]
	wanted := jmap.Args{"properties": listed, "bodyProperties": []string{"partId", "type"}}
	ofQuery := jmap.Args{"#ids": jmap.Ref{Call: 0, Name: "Email/query", Path: "/ids"}}
	maps.Copy(ofQuery, wanted)
	members := func(of int) jmap.Call {
		return jmap.Call{Method: "Thread/get", Into: &got, Args: jmap.Args{"#ids": jmap.Ref{Call: of, Name: "Email/get", Path: "/list/*/threadId"}}}
	}
	err = m.do(ctx, query, jmap.Call{Method: "Email/get", Args: ofQuery, Into: &mails}, members(1))
	if !errors.Is(err, jmap.ErrTooLarge) {
		return found, mails.List, got.List, err
	}
	// One mail with megabytes of a head must not keep the others from being listed: those
	// beside it are listed without theirs.
	ofQuery["properties"] = least
	if err = m.do(ctx, query, jmap.Call{Method: "Email/get", Args: ofQuery, Into: &mails}, members(1)); err != nil {
		return found, nil, nil, err
	}
	for some := range slices.Chunk(found.IDs, 10) {
		list, err := m.emails(ctx, some, wanted)
		if errors.Is(err, jmap.ErrTooLarge) {
			list, err = m.emails(ctx, some, jmap.Args{"properties": least})
		}
		if err != nil {
			return found, nil, nil, err
		}
		newest = append(newest, list...)
	}
	return found, newest, got.List, nil
}

// flags reads the keywords of threads' newest mails.
func (m *mailbox) flags(ctx context.Context, threads []jmap.Thread) (map[string]jmap.Email, error) {
	var ids []string
	for _, t := range threads {
		ids = append(ids, t.EmailIDs[max(0, len(t.EmailIDs)-perThread):]...)
	}
	list, err := m.emails(ctx, ids, jmap.Args{"properties": []string{"id", "keywords", "receivedAt", "hasAttachment"}})
	all := make(map[string]jmap.Email, len(list))
	for _, e := range list {
		all[e.ID] = e
	}
	return all, err
}

// emails reads any number of mails, in as many calls and requests as the server's bounds want.
func (m *mailbox) emails(ctx context.Context, ids []string, args jmap.Args) (list []jmap.Email, err error) {
	chunks := slices.Collect(slices.Chunk(ids, m.session.MaxGet))
	for some := range slices.Chunk(chunks, m.session.MaxCalls) {
		got := make([]jmap.Got[jmap.Email], len(some))
		calls := make([]jmap.Call, len(some))
		for i, chunk := range some {
			a := jmap.Args{"ids": chunk}
			maps.Copy(a, args)
			calls[i] = jmap.Call{Method: "Email/get", Args: a, Into: &got[i]}
		}
		if err := m.do(ctx, calls...); err != nil {
			return nil, err
		}
		for _, g := range got {
			list = append(list, g.List...)
		}
	}
	return list, nil
}

// summaries are in the order of the query. A mail that has gone meanwhile is left out.
func summaries(order []string, newest []jmap.Email, threads []jmap.Thread, all map[string]jmap.Email) []ThreadInfo {
	mails, members := map[string]*jmap.Email{}, map[string][]string{}
	for i := range newest {
		mails[newest[i].ID] = &newest[i]
	}
	for _, t := range threads {
		members[t.ID] = t.EmailIDs
	}
	out := []ThreadInfo{}
	for _, id := range order {
		e := mails[id]
		if e == nil {
			continue
		}
		snippet := e.Preview
		if len(e.TextBody) > 0 && e.TextBody[0].Type == "text/html" { // servers may show its source
			snippet = stripped(snippet)
		}
		t := ThreadInfo{ID: e.ThreadID, Subject: line(text(e.Subject), maxSubject), Snippet: line(snippet, maxSnippet), From: addresses(e.From),
			MessageCount: max(1, len(members[e.ThreadID])), IsRead: true}
		t.add(e)
		for _, id := range members[e.ThreadID] {
			if one, ok := all[id]; ok {
				t.add(&one)
			}
		}
		out = append(out, t)
	}
	return out
}

// add takes one mail into account.
func (t *ThreadInfo) add(e *jmap.Email) {
	if e.ReceivedAt.After(time.Time(t.LastMessageAt)) {
		t.LastMessageAt = core.Time(e.ReceivedAt)
	}
	t.IsRead = t.IsRead && e.Keywords[seen]
	t.IsFlagged = t.IsFlagged || e.Keywords[flagged]
	t.HasAttachment = t.HasAttachment || e.HasAttachment
}
