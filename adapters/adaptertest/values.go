package adaptertest

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core/storage"
)

const insertAll = `INSERT INTO {user} ({user:id}, {user:name}, {user:email}, {user:emailVerified}, {user:createdAt},
	{user:count}, {user:total}, {user:image}, {user:banned}, {user:tries}, {user:lastRequest}, {user:seenAt}, {user:meta},
	{user:blob}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const selectAll = `SELECT {user.id}, {user.name}, {user.email}, {user.emailVerified}, {user.createdAt}, {user.count},
	{user.total}, {user.image}, {user.banned}, {user.tries}, {user.lastRequest}, {user.seenAt}, {user.meta}, {user.blob}
	FROM {user} WHERE {user.id} = ?`

func (u *userRow) dests() []any {
	return []any{&u.ID, &u.Name, &u.Email, &u.EmailVerified, &u.CreatedAt, &u.Count, &u.Total, &u.Image, &u.Banned,
		&u.Tries, &u.LastRequest, &u.SeenAt, &u.Meta, &u.Blob}
}

func (u *userRow) values() []any {
	return []any{u.ID, u.Name, u.Email, u.EmailVerified, u.CreatedAt, u.Count, u.Total, u.Image, u.Banned, u.Tries,
		u.LastRequest, u.SeenAt, u.Meta, u.Blob}
}

func testKinds(t *testing.T, db storage.Database) {
	full := userRow{ID: "full", Name: "Ånn 张 \U0001F600 \"q\" 'a' \\ \n\t?{}$1", Email: "x'--@example.com", EmailVerified: true,
		CreatedAt: noon, Count: -2147483648, Total: 9007199254740993, Image: new(string), Banned: ref(false), Tries: ref(7),
		LastRequest: ref(int64(1893456000123)), SeenAt: ref(time.Date(1969, 12, 31, 23, 59, 59, 1e6, time.UTC)),
		Meta: json.RawMessage(`{"a": ["ü", 1.5, null]}`), Blob: []byte{0, 1, 0xff, '\\', '\''}}
	empty := userRow{ID: "empty", Email: "e", CreatedAt: noon}
	for _, want := range []userRow{full, empty} {
		check := func(q storage.Conn) {
			exec(t, q, insertAll, want.values()...)
			var got userRow
			if !scan(t, q, got.dests(), selectAll, want.ID) {
				t.Fatalf("row %s is not there", want.ID)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			exec(t, q, `DELETE FROM {user} WHERE {user.id} = ?`, want.ID)
		}
		check(db)
		tx := beginTx(t, db)
		check(tx)
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
	exec(t, db, insertAll, empty.values()...)
	var name string
	if _, err := scanErr(ctxOf(t), db, []any{&name}, `SELECT {user.image} FROM {user}`); err == nil {
		t.Error("NULL was read into a string that has no room for it")
	} else {
		wantKind(t, err, storage.Unknown)
	}
}

// beginTx starts a transaction that ends with the test, if not before.
func beginTx(t *testing.T, db storage.Database) storage.Tx {
	t.Helper()
	tx, err := db.Begin(ctxOf(t), storage.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	return tx
}

func testMilliseconds(t *testing.T, db storage.Database) {
	written := time.Date(2026, 3, 4, 5, 6, 7, 123_999_999, time.FixedZone("", -5*3600))
	want := time.Date(2026, 3, 4, 10, 6, 7, 123_000_000, time.UTC)
	args := user("a")
	args[4] = written
	exec(t, db, insertUser, args...)
	var got time.Time
	scan(t, db, []any{&got}, `SELECT {user.createdAt} FROM {user}`)
	if !got.Equal(want) || got.Location() != time.UTC {
		t.Errorf("read %v, want %v", got, want)
	}
	// Equality and order hold for what was written, in whatever zone it is asked for.
	for _, c := range []struct {
		op   string
		arg  time.Time
		want int64
	}{
		{"=", written, 1}, {"=", want, 1}, {"=", want.Add(time.Millisecond), 0},
		{"<", want, 0}, {"<", want.Add(time.Millisecond), 1}, {">", want.Add(-time.Millisecond), 1}, {">", want, 0},
	} {
		if n := count(t, db, `SELECT count(*) FROM {user} WHERE {user.createdAt} `+c.op+` ?`, c.arg); n != c.want {
			t.Errorf("createdAt %s %v: %d rows, want %d", c.op, c.arg, n, c.want)
		}
	}
	if db.Dialect() == storage.SQLite {
		var stored string
		scan(t, db, []any{&stored}, `SELECT {user.createdAt} || '' FROM {user}`)
		if stored != "2026-03-04T10:06:07.123Z" {
			t.Errorf("stored %q", stored)
		}
	}
}

func testValues(t *testing.T, db storage.Database) {
	addUser(t, db, "a")
	set := func(column string, v any) { exec(t, db, `UPDATE {user} SET {user:`+column+`} = ?`, v) }
	null := func(column string) bool {
		return count(t, db, `SELECT count(*) FROM {user} WHERE {user.`+column+`} IS NULL`) == 1
	}
	for column, vals := range map[string][2]any{
		"image": {ref("x"), (*string)(nil)}, "banned": {ref(true), (*bool)(nil)}, "tries": {ref(1), (*int)(nil)},
		"lastRequest": {ref(int64(1)), (*int64)(nil)}, "seenAt": {ref(noon), (*time.Time)(nil)},
		"meta": {json.RawMessage(`[]`), json.RawMessage(nil)}, "blob": {[]byte{}, []byte(nil)},
	} {
		if set(column, vals[0]); null(column) {
			t.Errorf("%s: a value became NULL", column)
		}
		if set(column, vals[1]); !null(column) {
			t.Errorf("%s: nil became a value", column)
		}
		set(column, vals[0])
		if set(column, nil); !null(column) {
			t.Errorf("%s: untyped nil became a value", column)
		}
	}
	_, err := db.Exec(ctxOf(t), `UPDATE {user} SET {user:count} = ?`, uint8(1))
	wantKind(t, err, storage.Unknown)
	for _, n := range []int{0, 2} {
		_, err = db.Exec(ctxOf(t), `UPDATE {user} SET {user:count} = ?`, make([]any, n)...)
		wantKind(t, err, storage.Unknown)
	}
}

func testTemplates(t *testing.T, db storage.Database) {
	addUser(t, db, "a")
	exec(t, db, insertMember, "m", "a", "o", "owner")
	var email, role string
	if !scan(t, db, []any{&email, &role}, `SELECT {user.email}, {member.role} FROM {member=}
		JOIN {user=} ON {user.id} = {member.userId} WHERE {member.orgId} = ?`, "o") || email != "a@example.com" || role != "owner" {
		t.Errorf("join read %q, %q", email, role)
	}
	tx := beginTx(t, db)
	if n := count(t, tx, `SELECT {user.count} FROM {user} WHERE {user.id} = ? {skip locked}`, "a"); n != 0 {
		t.Errorf("skip locked read %d", n)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		`SELECT 1 FROM {nothing}`, `SELECT {user.nothing} FROM {user}`, `SELECT {user:nothing} FROM {user}`, `SELECT {user`,
		`SELECT }`, `SELECT '?'`, `SELECT '{user}'`, `SELECT 'x`, `SELECT {}`, `SELECT {user=x}`, `SELECT {user.}`,
		"SELECT 1\x00", "SELECT " + strings.Repeat(" ", storage.MaxTemplate),
	} {
		_, err := db.Query(ctxOf(t), bad)
		wantKind(t, err, storage.Schema)
	}
}

func ref[T any](v T) *T { return &v }
