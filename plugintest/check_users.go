package plugintest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core"
)

// mallory sends what others are about to send.
const mallory = "mallory@example.com"

func checkUsers(c *checker) {
	h := c.harness(SQLite)
	stranger := h.SignUp(mallory)
	c.walk(h, func(client *Client, r *Request) {
		i := h.own(r)
		if i == nil || i.Access == core.Public.String() || client.UserID == stranger.UserID || c.listed(h, c.o.Shared, i) {
			return
		}
		if u, err := h.Host.UserByEmail(context.Background(), h.Host.DB(), mallory); err == nil && u == nil {
			stranger = h.SignUp(mallory) // the request before has deleted her, as its sender wanted
		}
		if h.SignIn(mallory).send(&Request{Method: "GET", Path: "/get-session"}).Get("user") == nil {
			return // a rule of the configuration keeps even her from signing in
		}
		before := h.foreign(stranger.UserID)
		a := h.SignIn(mallory).send(r)
		for _, row := range before.missing(h.foreign(stranger.UserID)) {
			c.fault("%s %s, sent by another user, changes somebody else's row: %s", r.Method, r.Path, row)
		}
		known, _ := json.Marshal(r.Body) //nolint:errcheck // it was sent as JSON before
		for _, v := range h.private(stranger.UserID) {
			if strings.Contains(string(a.Body), v) && !strings.Contains(string(known), v) && !strings.Contains(r.Path, v) {
				c.fault("%s %s shows another user what is not theirs: %q in %s", r.Method, r.Path, v, clip(string(a.Body)))
			}
		}
	}, nil)
}

// foreign are all rows that do not name a user.
func (h *Harness) foreign(userID string) snapshot {
	want, _, _ := h.Auth.Schema()
	s := snapshot{}
	for _, t := range want.Tables {
		if unsettled[t.Name] || t.Name == "job" {
			continue
		}
		for _, r := range h.Rows(t.Name) {
			if !r.has(userID) {
				s[t.Name] = append(s[t.Name], r.String())
			}
		}
	}
	return s
}

// missing lists the rows that are not there any more as they were.
func (s snapshot) missing(now snapshot) (out []string) {
	for table, rows := range s {
		for _, r := range rows {
			if !slices.Contains(now[table], r) {
				out = append(out, table+": "+r)
			}
		}
	}
	return out
}

// private are the texts of rows that do not name a user: ids, addresses, contents of
// others. Left out are short ones, which would be found by chance, and those that the
// user's own rows hold as well.
func (h *Harness) private(userID string) (out []string) {
	want, _, _ := h.Auth.Schema()
	own := map[string]bool{}
	for _, t := range want.Tables {
		for _, r := range h.Rows(t.Name) {
			for _, v := range r {
				own[v] = own[v] || r.has(userID)
			}
		}
	}
	for _, t := range want.Tables {
		for _, r := range h.Rows(t.Name) {
			if r.has(userID) || t.Name == "job" || t.Name == "securityEvent" {
				continue
			}
			for name, v := range r {
				col := t.Column(name)
				if len(v) >= 12 && !own[v] && col.Kind.String() == "string" && col.Default == nil {
					out = append(out, v)
				}
			}
		}
	}
	return out
}

func checkErase(c *checker) {
	h := c.harness(SQLite)
	c.walk(h, nil, nil)
	ctx := context.Background()
	for _, r := range h.Rows("user") {
		id := r["id"]
		data, err := h.Host.Export(ctx, id)
		if err != nil {
			c.fault("the export of a user fails: %v", err)
			continue
		}
		raw, err := json.Marshal(data)
		if err != nil {
			c.fault("the export of a user is no JSON: %v", err)
		}
		for name, v := range h.hidden() {
			if strings.Contains(string(raw), v) {
				c.fault("the export of a user holds the hidden column %s", name)
			}
		}
		u, err := h.Host.UserByID(ctx, h.Host.DB(), id)
		if err != nil || u == nil {
			c.t.Fatalf("plugintest: a user cannot be read: %v", err)
		}
		if err := h.Host.DeleteUser(ctx, nil, nil, u); err != nil {
			c.fault("a user cannot be deleted: %v", err)
			continue
		}
		h.RunJobs() // what lies outside of the database goes by a job, and its row with it
		want, _, _ := h.Auth.Schema()
		for _, t := range want.Tables {
			if unsettled[t.Name] || t.Name == "job" || slices.Contains(c.o.Keeps, t.Name) {
				continue
			}
			for _, row := range h.Rows(t.Name) {
				if row.has(id) || row.has(u.Email) {
					c.fault("a deleted user leaves a row in %s: %s (Spec.Data, or a foreign key with cascade)", t.Name, row)
				}
			}
		}
	}
}
