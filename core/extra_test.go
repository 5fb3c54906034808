package core_test

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core"
)

type profile struct {
	Company string          `db:"company"`
	Tier    string          `db:"tier" schema:"default=free" input:"-"`
	Seats   int             `db:"seats" schema:"default=1,index"`
	Bytes   *int64          `db:"bytes"`
	Beta    *bool           `db:"beta"`
	Since   *time.Time      `db:"since" schema:"hidden"`
	Tags    json.RawMessage `db:"tags" schema:"null"`
	Handle  *string         `db:"handle" schema:"unique"`
}

func TestFieldsOf(t *testing.T) {
	no := false
	want := []core.Extra{
		{Name: "company", Type: "string", Required: true},
		{Name: "tier", Type: "string", Default: "free", Input: &no},
		{Name: "seats", Type: "number", Default: int64(1), Index: true},
		{Name: "bytes", Type: "number", BigInt: true},
		{Name: "beta", Type: "boolean"},
		{Name: "since", Type: "date", Returned: &no},
		{Name: "tags", Type: "json"},
		{Name: "handle", Type: "string", Unique: true},
	}
	if got := core.FieldsOf[profile](); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
	for name, fn := range map[string]func() []core.Extra{
		"a key": core.FieldsOf[struct {
			ID string `db:"id" schema:"key"`
		}],
		"a reference": core.FieldsOf[struct {
			Boss string `db:"boss" schema:"references=user"`
		}],
		"bytes": core.FieldsOf[struct {
			Photo []byte `db:"photo"`
		}],
		"a time of writing": core.FieldsOf[struct {
			At time.Time `db:"at" schema:"now"`
		}],
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was taken", name)
				}
			}()
			fn()
		}()
	}
}

// What the struct declares, clients give and ExtraOf reads, on both databases.
func TestFieldsOfRoundTrip(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		var seen profile
		e := start(t, db, config(func(c *core.Config) { c.User.Fields = core.FieldsOf[profile]() }), hooks(
			core.Request.After(func(_ context.Context, r *core.RequestEvent) error {
				if _, u := r.Call.Session(); u != nil {
					seen = core.ExtraOf[profile](u.Extra)
				}
				return nil
			})))
		c := e.client()
		in := m{"name": "A", "email": "a@example.com", "password": password}
		if a := c.post("/sign-up/email", in); a.Status != 400 || a.json["code"] != "MISSING_FIELD" {
			t.Errorf("without a required field: %d %s", a.Status, a.Body)
		}
		in["company"], in["bytes"], in["tags"] = "Acme", 1<<40, []string{"x"}
		c.must(200, "POST", "/sign-up/email", in)
		c.get("/get-session")
		if seen.Company != "Acme" || seen.Tier != "free" || seen.Seats != 1 || seen.Bytes == nil || *seen.Bytes != 1<<40 || string(seen.Tags) != `["x"]` || seen.Handle != nil {
			t.Errorf("%+v", seen)
		}
		if a := c.post("/update-user", m{"tier": "gold"}); a.Status != 400 || a.json["code"] != "FIELD_NOT_ALLOWED" {
			t.Errorf("a field without input: %d %s", a.Status, a.Body)
		}
	})
}

// A list from a config file has integers of Go's, one from a client has floats.
func TestListDefaults(t *testing.T) {
	e := start(t, config(func(c *core.Config) {
		c.User.Fields = []core.Extra{{Name: "sizes", Type: "number[]", Default: []any{uint64(1), 2, 3.5}}, {Name: "tags", Type: "string[]", Default: []any{"a"}}}
	}))
	e.client().signUp("a@example.com")
	if got := e.rows("SELECT {user:sizes} FROM {user}")[0] + e.rows("SELECT {user:tags} FROM {user}")[0]; got != `[1,2,3.5]["a"]` {
		t.Error(got)
	}
}

// PostgreSQL keeps years before 1 and behind 9999 in forms that nothing reads: whoever gave one
// would not be signed in any more, and nobody else with the address that they signed up with.
func TestDatesHaveFourDigits(t *testing.T) {
	both(t, func(t *testing.T, db option) {
		e := start(t, db, config(func(c *core.Config) { c.User.Fields = []core.Extra{{Name: "born", Type: "date"}} }))
		in := m{"name": "A", "email": "a@example.com", "password": password, "born": "0000-01-01T00:00:00Z"}
		if a := e.client().post("/sign-up/email", in); a.Status != 400 || a.json["code"] != "VALIDATION_ERROR" {
			t.Errorf("signing up with the year 0: %d %s", a.Status, a.Body)
		}
		c := e.client()
		c.signUp("a@example.com")
		for _, at := range []string{"0000-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"} {
			if a := c.post("/update-user", m{"born": at}); a.Status != 400 || a.json["code"] != "VALIDATION_ERROR" {
				t.Errorf("%s: %d %s", at, a.Status, a.Body)
			}
		}
		for _, at := range []string{"0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"} {
			c.must(200, "POST", "/update-user", m{"born": at})
			if a := c.get("/get-session"); a.Status != 200 || a.json["user"].(m)["born"] != at {
				t.Errorf("%s: %d %s", at, a.Status, a.Body)
			}
		}
	})
}
