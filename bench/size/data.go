package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// amounts are how many rows a database gets.
type amounts struct {
	users, sessionsEach, organizations, organizationsEach int
	crowd, bigCrowd                                       int // members of two organizations beside
}

func amountsOf(users int) amounts {
	return amounts{users: users, sessionsEach: 5, organizations: max(1, users/10), organizationsEach: 2,
		crowd: min(users, 1000), bigCrowd: min(users, 10_000)}
}

// tokenOf is the secret of a session in SQL; see token in request.go.
const tokenOf = "md5('token' || %s)"

// statements make the rows. Names and addresses are numbered; a session's token, under which
// it is found, is random in the order of rows, as it is in life. Users with an even number
// have a password that was hashed quickly, the others one with production's parameters.
func (a amounts) statements(cheap, real string) []string {
	hashed := fmt.Sprintf(`'sha256:' || rtrim(translate(encode(sha256(`+tokenOf+`::bytea), 'base64'), '+/', '-_'), '=')`, "g")
	agent := "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	members := func(organization string, from, to int, role string) string {
		return fmt.Sprintf(`INSERT INTO member (id, organization_id, user_id, role, created_at)
			SELECT 'm-%[1]s-' || g, 'org-%[1]s', 'user' || g, '%[4]s', now() - g * interval '1 second' FROM generate_series(%[2]d, %[3]d) g`,
			organization, from, to, role)
	}
	return []string{
		fmt.Sprintf(`INSERT INTO "user" (id, name, email, email_verified, created_at, updated_at)
			SELECT 'user' || g, 'Name ' || g, 'user' || g || '@example.com', true, now(), now() FROM generate_series(0, %d) g`, a.users-1),
		fmt.Sprintf(`INSERT INTO account (id, account_id, provider_id, user_id, password, created_at, updated_at)
			SELECT 'account' || g, 'user' || g, 'credential', 'user' || g, CASE WHEN g %% 2 = 0 THEN %s ELSE %s END, now(), now()
			FROM generate_series(0, %d) g`, quote(cheap), quote(real), a.users-1),
		fmt.Sprintf(`INSERT INTO session (id, expires_at, token, created_at, updated_at, ip_address, user_agent, user_id, amr, aal)
			SELECT md5('session' || g), now() + interval '6 days' + g %% 86400 * interval '1 second', %s, now(), now(), '192.0.2.1', %s,
				'user' || g / %d, 'pwd', 1 FROM generate_series(0, %d) g`, hashed, quote(agent), a.sessionsEach, a.users*a.sessionsEach-1),
		fmt.Sprintf(`INSERT INTO known_device (id, user_id, created_at, last_seen_at)
			SELECT md5('device' || g), 'user' || g, now(), now() FROM generate_series(0, %d) g`, a.users-1),
		fmt.Sprintf(`INSERT INTO security_event (id, type, user_id, ip_address, user_agent, created_at)
			SELECT md5('event' || g), 'session.created', 'user' || g, '192.0.2.1', %s, now() - g %% 86400 * interval '1 second'
			FROM generate_series(0, %d) g`, quote(agent), a.users-1),
		fmt.Sprintf(`INSERT INTO verification (id, identifier, value, expires_at, created_at, updated_at)
			SELECT md5('verification' || g), md5('identifier' || g), 'user' || g, now() + interval '1 day', now(), now()
			FROM generate_series(0, %d) g`, a.users/10),
		fmt.Sprintf(`INSERT INTO organization (id, name, slug, created_at)
			SELECT 'org-' || g, 'Organization ' || g, 'organization-' || g, now() FROM generate_series(0, %d) g`, a.organizations-1),
		`INSERT INTO organization (id, name, slug, created_at) VALUES ('org-crowd', 'Crowd', 'crowd', now()), ('org-big', 'Big', 'big', now())`,
		fmt.Sprintf(`INSERT INTO member (id, organization_id, user_id, role, created_at)
			SELECT md5('member' || g), 'org-' || (g %% %[1]d * 7 + g / %[1]d * 3) %% %[2]d, 'user' || g %% %[1]d,
				'admin', now() - g %% 86400 * interval '1 second'
			FROM generate_series(0, %[3]d) g`, a.users, a.organizations, a.users*a.organizationsEach-1),
		members("crowd", 0, a.crowd-1, "member"),
		members("big", 0, a.bigCrowd-1, "member"),
		fmt.Sprintf(`INSERT INTO invitation (id, organization_id, email, role, status, expires_at, created_at, inviter_id)
			SELECT md5('invitation' || g), 'org-' || g %% %d, 'guest' || g || '@example.com', 'member', 'pending', now() + interval '2 days', now(),
				'user' || g %% %d FROM generate_series(0, %d) g`, a.organizations, a.users, a.organizations*3-1),
	}
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// fill makes the rows, with indexes and foreign keys on, and has PostgreSQL look at them.
func (a amounts) fill(ctx context.Context, db *sql.DB, cheap, real string) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, s := range append(append([]string{"SET synchronous_commit = off", "SET statement_timeout = 0"}, a.statements(cheap, real)...), "VACUUM ANALYZE", "CHECKPOINT") {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%.60s: %w", s, err)
		}
	}
	return nil
}

// expire adds sessions that have expired: for the clean-up.
func expire(ctx context.Context, db *sql.DB, users, n, turn int) error {
	_, err := db.ExecContext(ctx, `INSERT INTO session (id, expires_at, token, created_at, updated_at, user_id)
		SELECT md5('old' || $3::int || g), now() - interval '1 hour', md5('oldtoken' || $3::int || g), now(), now(), 'user' || (random() * ($1::int - 1))::int
		FROM generate_series(1, $2::int) g`, users, n, turn)
	return err
}
