package organization

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/plugintest"
)

// BenchmarkMembers measures an organization of 100 and one of 100,000 members, each beside
// others, on PostgreSQL:
//
//	go test ./plugins/organization -run '^$' -bench Members
//	go test ./plugins/organization -run '^$' -bench Members -v     with EXPLAIN
func BenchmarkMembers(b *testing.B) {
	for _, size := range []int{100, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			w := newWorld(b, everything(), func(o *plugintest.Options) { o.Database = plugintest.Postgres })
			ada := w.SignUp("ada@example.com")
			id := org(ada, "acme")
			ada.Post("/organization/create-role", m{"role": "payer", "permission": m{"invoice": []string{"pay"}}}).Want(200)
			w.fill(id, size)
			get := func(path string) func(*testing.B) {
				return func(b *testing.B) {
					for b.Loop() {
						ada.Get(path).Want(200)
					}
				}
			}
			b.Run("list", get("/organization/list-members?limit=50"))
			b.Run("third-page", get("/organization/list-members?limit=50&offset=100"))
			b.Run("last-page", get(fmt.Sprint("/organization/list-members?limit=50&offset=", size-50)))
			b.Run("full", get("/organization/get-full-organization?membersLimit=50"))
			b.Run("organizations", get("/organization/list"))
			b.Run("has-permission", func(b *testing.B) {
				for b.Loop() {
					ada.Post("/organization/has-permission", m{"permissions": m{"invoice": []string{"pay"}}}).Want(200)
				}
			})
			b.Run("authorize", func(b *testing.B) {
				for b.Loop() {
					if _, err := w.p.Authorize(b.Context(), id, ada.UserID, contract.Permissions{"invoice": {"pay"}}); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("another-owner", func(b *testing.B) {
				for b.Loop() {
					if other, err := w.p.holders(b.Context(), w.Host.DB(), id, "", "owner"); err != nil || !other {
						b.Fatal(other, err)
					}
				}
			})
			if testing.Verbose() {
				w.explain("a page of members", w.p.pageStatement(memberPage{organizationID: id, limit: 50}))
				w.explain("what a member may do", storage.Statement{SQL: w.p.standingSQL(), Args: []any{id, ada.UserID}})
				w.explain("how many members", storage.Statement{SQL: "SELECT count(*) FROM {member=} WHERE {member.organizationId} = ?", Args: []any{id}})
			}
		})
	}
}

// fill makes members of an organization, and as many again in smaller ones.
func (w *world) fill(id string, n int) {
	w.T.Helper()
	now := w.Clock.Now()
	w.exec("INSERT INTO {user} ({user:id}, {user:name}, {user:email}, {user:emailVerified}, {user:createdAt}, {user:updatedAt}) "+
		"SELECT 'u' || i, 'User ' || i, 'u' || i || '@example.com', true, ?, ? FROM generate_series(1, ?) AS i", now, now, int64(n))
	w.exec("INSERT INTO {organization} ({organization:id}, {organization:name}, {organization:slug}, {organization:createdAt}) "+
		"SELECT 'o' || i, 'Org ' || i, 'org-' || i, ? FROM generate_series(0, ?) AS i", now, int64(n/100))
	const member = "INSERT INTO {member} ({member:id}, {member:organizationId}, {member:userId}, {member:role}, {member:createdAt}) "
	w.exec(member+"SELECT 'm' || i, ?, 'u' || i, 'member', ? FROM generate_series(1, ?) AS i", id, now, int64(n))
	w.exec(member+"SELECT 'x' || i, 'o' || (i / 100), 'u' || i, 'member', ? FROM generate_series(1, ?) AS i", now, int64(n))
	w.exec("VACUUM ANALYZE") // as autovacuum would: counts stay on the index
}

// explain prints how PostgreSQL does a statement.
func (w *world) explain(what string, s storage.Statement) {
	w.T.Helper()
	rows, err := w.Host.DB().Query(context.Background(), "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) "+s.SQL, s.Args...)
	if err != nil {
		w.T.Fatal(err)
	}
	defer rows.Close()
	var b strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			w.T.Fatal(err)
		}
		b.WriteString("\n    " + line)
	}
	if err := rows.Err(); err != nil {
		w.T.Fatal(err)
	}
	w.T.Logf("%s:%s", what, b.String())
}
