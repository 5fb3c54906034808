package adopt

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Loss is something that users have with Better Auth and would not have here.
type Loss struct {
	Code string `json:"code"`
	// Count is how many rows, or users; AtLeast says that there are more.
	Count   int64  `json:"count"`
	AtLeast bool   `json:"atLeast,omitempty"`
	Text    string `json:"text"` // what is lost, after the number
	// Unknown is why it could not be counted.
	Unknown string `json:"unknown,omitempty"`
}

// Limits of counting. A count stops at countLimit rows; where few rows meet a condition
// the database has to look at all of them to know, so time is bounded, too.
const (
	countLimit   = 100_000
	CountTimeout = 10 * time.Second
	maxProviders = 50
)

// question is one count. rows selects one row for each thing to be counted.
type question struct{ code, text, rows string }

// Count asks the database what would be lost with these plugins. Every question has a
// read-only transaction of its own. An error means that the database is gone; a question
// that it refuses or that takes longer than timeout is a Loss with Unknown.
func (p *Proposal) Count(ctx context.Context, db storage.Database, want *schema.Schema, enabled []string, timeout time.Duration) ([]Loss, error) {
	out := []Loss{}
	ask := func(q question) error {
		l, err := count(ctx, db, q, timeout)
		if err == nil && (l.Count > 0 || l.Unknown != "") {
			out = append(out, l)
		}
		return err
	}
	providers, err := p.providers(ctx, db, timeout)
	if err != nil {
		return nil, err
	}
	out = append(out, providers...)
	for _, q := range p.questions(want, enabled) {
		if err := ask(q); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// from is a table as it stands in a statement, with an alias.
func (p *Proposal) from(m *match, alias string) string {
	x := storage.Expander{Dialect: p.Dialect, Names: schema.Names{Schema: p.Schema}}
	return x.Qualify(m.live.Name) + " AS " + alias
}

// col is a column of a table behind an alias. Its name has no sign that means anything in
// a statement: neither norm nor plainSQL made a match of such a one.
func (m *match) col(alias, logical string) string {
	return alias + "." + storage.Quote(m.cols[logical])
}

// questions are those that this database can answer.
func (p *Proposal) questions(want *schema.Schema, enabled []string) (out []question) {
	user, account := p.m.find("user"), p.m.find("account")
	add := func(code, text, rows string) { out = append(out, question{code, text, rows}) }
	all := func(code, text, table string) {
		if m := p.m.find(table); m != nil {
			add(code, text, "SELECT 1 FROM "+p.from(m, "t"))
		}
	}
	has := func(id string) bool { return slices.Contains(enabled, id) }
	ways := ""
	if k := p.m.find("passkey"); k.has("userId") && has("passkey") {
		ways = " AND NOT EXISTS (SELECT 1 FROM " + p.from(k, "k") + " WHERE " + k.col("k", "userId") + " = " + user.col("u", "id") + ")"
	}
	if account.has("password") && account.has("providerId") && account.has("userId") && user.has("id") {
		add("no-way-in", "users have neither a password nor a passkey: they cannot sign in until they set a password by mail, or by magic link where that plugin is enabled",
			"SELECT 1 FROM "+p.from(user, "u")+" WHERE NOT EXISTS (SELECT 1 FROM "+p.from(account, "a")+" WHERE "+account.col("a", "userId")+" = "+user.col("u", "id")+
				" AND "+account.col("a", "providerId")+" = 'credential' AND "+account.col("a", "password")+" IS NOT NULL)"+ways)
		pw := account.col("a", "password")
		add("unreadable-password", "passwords have a form that is not read here (scrypt as Better Auth writes it, argon2id and bcrypt are): their owners have to reset them",
			"SELECT 1 FROM "+p.from(account, "a")+" WHERE "+account.col("a", "providerId")+" = 'credential' AND "+pw+" IS NOT NULL AND "+pw+" NOT LIKE '$argon2id$%' AND "+pw+
				" NOT LIKE '$2%' AND NOT (length("+pw+") = 161 AND substr("+pw+", 33, 1) = ':')")
	}
	for _, c := range []struct{ code, column, cond, text string }{
		{"username", "username", " IS NOT NULL", "users have a username: there is no sign-in by username here, by address only"},
		{"phone-number", "phoneNumber", " IS NOT NULL", "users have a phone number: there is no sign-in by phone number here"},
		{"anonymous", "isAnonymous", truth(p.Dialect), "users are anonymous: they stay signed in, and cannot link an account later"},
	} {
		if user.has(c.column) && want.Table("user").Column(c.column) == nil {
			add(c.code, c.text, "SELECT 1 FROM "+p.from(user, "u")+" WHERE "+user.col("u", c.column)+c.cond)
		}
	}
	if s := p.m.find("session"); s.has("impersonatedBy") {
		add("impersonation", "sessions are an admin's in the name of a user: they go on as that user's own; end them first",
			"SELECT 1 FROM "+p.from(s, "s")+" WHERE "+s.col("s", "impersonatedBy")+" IS NOT NULL")
	}
	if user.has("role") {
		add("admin", "users have the role admin: there are no admin endpoints here", "SELECT 1 FROM "+p.from(user, "u")+" WHERE CAST("+user.col("u", "role")+" AS text) LIKE '%admin%'")
	}
	all("api-key", "API keys stop working", "apikey")
	all("wallet", "wallet addresses: there is no sign-in with Ethereum here", "walletAddress")
	all("sso", "providers of single sign-on: whoever signs in through them cannot", "ssoProvider")
	all("scim", "directories that provision users (SCIM) cannot any more", "scimProvider")
	all("oauth-client", "OAuth clients that sign users in with this server cannot any more", "oauthApplication")
	all("oauth-client", "OAuth clients that sign users in with this server cannot any more", "oauthClient")
	for _, c := range []struct{ table, plugin, text string }{
		{"twoFactor", "two-factor", "users have a second factor, and the plugin two-factor is not enabled: a password alone would let anybody in"},
		{"passkey", "passkey", "passkeys, and the plugin passkey is not enabled"},
		{"organization", "organization", "organizations, and the plugin organization is not enabled"},
		{"jwks", "jwt", "keys that sign tokens, and the plugin jwt is not enabled: tokens cannot be verified any more"},
	} {
		if !has(c.plugin) {
			all(c.plugin, c.text, c.table)
		}
	}
	if has("organization") && want.Table("team") == nil {
		all("teams", "teams, and organization.teams is not enabled", "team")
	}
	if has("organization") && want.Table("organizationRole") == nil {
		all("roles", "roles that organizations made, and organization.dynamicAccessControl is not enabled: their members lose what these allow", "organizationRole")
	}
	return append(out, p.manaQuestions()...)
}

func truth(d storage.Dialect) string {
	if d == storage.SQLite {
		return " = 1"
	}
	return " = true"
}

// providers counts accounts by provider.
func (p *Proposal) providers(ctx context.Context, db storage.Database, timeout time.Duration) (out []Loss, err error) {
	m := p.m.find("account")
	if !m.has("providerId") {
		return nil, nil
	}
	col := m.col("a", "providerId")
	sql := fmt.Sprintf(`SELECT p.name, count(*) FROM (SELECT %s AS name FROM %s WHERE %s <> 'credential' LIMIT %d) AS p GROUP BY p.name ORDER BY 2 DESC, 1 LIMIT %d`,
		col, p.from(m, "a"), col, countLimit+1, maxProviders)
	var total int64
	unknown, err := read(ctx, db, timeout, sql, func(rows storage.Rows) error {
		var name string
		var n int64
		if err := rows.Scan(storage.Dest(&name), storage.Dest(&n)); err != nil {
			return err
		}
		total += n
		out = append(out, Loss{Code: "provider", Count: n, Text: "accounts of the provider " + Quote(name) + ": there is no sign-in through it here"})
		return nil
	})
	if unknown != "" {
		out = append(out, Loss{Code: "provider", Text: "accounts of providers", Unknown: unknown})
	}
	for i := range out {
		out[i].AtLeast = total > countLimit
	}
	return out, err
}

func count(ctx context.Context, db storage.Database, q question, timeout time.Duration) (Loss, error) {
	l := Loss{Code: q.code, Text: q.text}
	var err error
	l.Unknown, err = read(ctx, db, timeout, fmt.Sprintf("SELECT count(*) FROM (%s LIMIT %d) AS q", q.rows, countLimit+1), func(rows storage.Rows) error {
		return rows.Scan(storage.Dest(&l.Count))
	})
	if l.Count > countLimit {
		l.Count, l.AtLeast = countLimit, true
	}
	return l, err
}

// read runs a query in a read-only transaction. unknown is why the database refused it.
func read(ctx context.Context, db storage.Database, timeout time.Duration, sql string, row func(storage.Rows) error) (unknown string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err = readRows(limited, db, timeout, sql, row)
	switch kind := storage.KindOf(err); {
	case err == nil:
		return "", nil
	case ctx.Err() != nil || kind == storage.Unavailable && limited.Err() == nil:
		return "", err
	case kind == storage.Timeout || kind == storage.Canceled || limited.Err() != nil:
		return fmt.Sprintf("counting took longer than %s", timeout), nil
	case strings.Contains(err.Error(), "42501"):
		return "this role may not read the table", nil
	default:
		return "the database refused the question: " + err.Error(), nil
	}
}

func readRows(ctx context.Context, db storage.Database, timeout time.Duration, sql string, row func(storage.Rows) error) error {
	var q storage.Conn = db
	if db.Dialect() == storage.Postgres { // elsewhere a transaction would take the write lock
		tx, err := db.Begin(ctx, storage.TxOptions{})
		if err != nil {
			return err
		}
		defer tx.Rollback() //nolint:errcheck // nothing was written
		for _, s := range []string{"SET TRANSACTION READ ONLY", fmt.Sprintf("SET LOCAL statement_timeout = %d", timeout.Milliseconds())} {
			if _, err := tx.Exec(ctx, s); err != nil {
				return err
			}
		}
		q = tx
	}
	rows, err := q.Query(ctx, sql)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
