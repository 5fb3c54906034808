package core_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the app's other choice

	"github.com/sallyport-auth/sallyport/adapters/adaptertest"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/core"
)

// A session and its user are read as one text from PostgreSQL: whatever stands in them,
// whatever the driver, and whatever the settings of the connection, it is what was written.
func TestPackedSession(t *testing.T) {
	fields := config(func(c *core.Config) {
		c.User.Fields = []core.Extra{{Name: "note", Type: "json"}, {Name: "tags", Type: "string[]"}, {Name: "age", Type: "number"},
			{Name: "born", Type: "date"}, {Name: "vip", Type: "boolean"}, {Name: "text", Type: "string"}}
	})
	for _, driver := range []string{"postgres", "pgx"} {
		t.Run(driver, func(t *testing.T) {
			dsn := adaptertest.PostgresURL(t)
			set, err := sql.Open("postgres", dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer set.Close()
			for _, setting := range []string{"timezone TO 'Asia/Kolkata'", "datestyle TO 'German'"} {
				if _, err := set.ExecContext(t.Context(), "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET "+strings.ReplaceAll(setting, "'", "''")+"', current_database()); END $$"); err != nil {
					t.Fatal(err)
				}
			}
			app, err := sql.Open(driver, dsn)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { app.Close() })
			db, err := postgres.From(t.Context(), app, postgres.Options{})
			if err != nil {
				t.Fatal(err)
			}
			e := start(t, on(db), fields)
			for i, text := range []string{`plain`, `a "quoted", [text] \ and \" more`, "line\nbreak\ttab\x01", "null", "", "ü😀\u2028", `{"a":1}`, ",]", `\`, "true"} {
				c := e.client()
				email := fmt.Sprintf("u%d@example.com", i)
				c.must(200, "POST", "/sign-up/email", m{"name": text + "!", "email": email, "password": password, "age": i, "vip": i%2 == 0,
					"text": text, "note": m{"deep": []any{text, m{"x": nil}}}, "tags": []string{text, "b"}, "born": "2001-02-03T04:05:06.700Z"})
				h := e.auth.Host()
				a := c.get("/get-session")
				got, _ := a.json["user"].(m)
				want, err := h.UserByID(t.Context(), h.DB(), got["id"].(string)) // by columns
				if err != nil || want == nil {
					t.Fatal(want, err)
				}
				raw, _ := want.MarshalJSON()
				if !strings.Contains(string(a.Body), `"user":`+string(raw)+"}") || want.Name != text+"!" || want.Extra["text"] != text {
					t.Errorf("%q: the session has\n%s, the row\n%s", text, a.Body, raw)
				}
				s, _ := a.json["session"].(m)
				if ends, err := time.Parse(time.RFC3339Nano, s["expiresAt"].(string)); err != nil || !ends.Equal(e.clock.Now().Add(7*24*time.Hour)) {
					t.Errorf("expires at %v", s["expiresAt"])
				}
			}
		})
	}
}
