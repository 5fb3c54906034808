package migrations_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
)

type user struct {
	ID            string    `db:"id" schema:"key"`
	Name          string    `db:"name"`
	Email         string    `db:"email" schema:"unique"`
	EmailVerified bool      `db:"emailVerified"`
	Image         *string   `db:"image"`
	CreatedAt     time.Time `db:"createdAt" schema:"now"`
	UpdatedAt     time.Time `db:"updatedAt" schema:"now"`
}

type session struct {
	ID        string    `db:"id" schema:"key"`
	ExpiresAt time.Time `db:"expiresAt"`
	Token     string    `db:"token" schema:"unique"`
	CreatedAt time.Time `db:"createdAt" schema:"now"`
	UpdatedAt time.Time `db:"updatedAt"`
	IPAddress *string   `db:"ipAddress"`
	UserAgent *string   `db:"userAgent"`
	UserID    string    `db:"userId" schema:"references=user,cascade,index"`
}

type account struct {
	ID                    string     `db:"id" schema:"key"`
	AccountID             string     `db:"accountId"`
	ProviderID            string     `db:"providerId"`
	UserID                string     `db:"userId" schema:"references=user,cascade,index"`
	AccessToken           *string    `db:"accessToken"`
	RefreshToken          *string    `db:"refreshToken"`
	IDToken               *string    `db:"idToken"`
	AccessTokenExpiresAt  *time.Time `db:"accessTokenExpiresAt"`
	RefreshTokenExpiresAt *time.Time `db:"refreshTokenExpiresAt"`
	Scope                 *string    `db:"scope"`
	Password              *string    `db:"password"`
	CreatedAt             time.Time  `db:"createdAt" schema:"now"`
	UpdatedAt             time.Time  `db:"updatedAt"`
}

type rateLimit struct {
	ID          string `db:"id" schema:"key"`
	Key         string `db:"key" schema:"unique"`
	Count       int    `db:"count"`
	LastRequest int64  `db:"lastRequest"`
}

// node and tree refer to each other, and node to itself.
type node struct {
	ID       string  `db:"id" schema:"key"`
	ParentID *string `db:"parentId" schema:"references=node,cascade,index"`
	TreeID   *string `db:"treeId" schema:"references=tree,setnull"`
	Label    string  `db:"label" schema:"default=it's"`
}

type tree struct {
	ID     string `db:"id" schema:"key"`
	RootID string `db:"rootId" schema:"references=node"`
	Slug   string `db:"slug"`
	Region string `db:"region"`
}

type item struct {
	ID      string          `db:"id" schema:"key"`
	OwnerID string          `db:"ownerId" schema:"references=user,cascade"`
	Cipher  []byte          `db:"cipher"`
	Meta    json.RawMessage `db:"meta" schema:"null"`
	Weight  int64           `db:"weight" schema:"default=1"`
	// Its index has a name that is too long.
	Long *time.Time `db:"aColumnWhoseNameIsSoLongThatNoIndexIsWhole" schema:"index"`
}

type extra struct {
	Enabled *bool   `db:"twoFactorEnabled"`
	Level   int     `db:"vaultLevel" schema:"default=2"`
	Locked  bool    `db:"locked" schema:"default=false,index"`
	Phone   *string `db:"phoneNumber" schema:"unique"`
}

func merge(t testing.TB, tables []schema.Table, ext ...schema.Extension) *schema.Schema {
	t.Helper()
	s, err := schema.Merge(tables, ext)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// core is what Better Auth has too.
func core(t testing.TB) *schema.Schema {
	return merge(t, coreTables())
}

func coreTables() []schema.Table {
	return []schema.Table{
		schema.FromStruct("user", "core", reflect.TypeFor[user]()),
		schema.FromStruct("session", "core", reflect.TypeFor[session]()),
		schema.FromStruct("account", "core", reflect.TypeFor[account]()),
		schema.FromStruct("rateLimit", "core", reflect.TypeFor[rateLimit]()),
	}
}

// everything has every feature.
func everything(t testing.TB) *schema.Schema {
	trees := schema.FromStruct("tree", "forest", reflect.TypeFor[tree]())
	trees.Indexes = []schema.Index{{Columns: []string{"region", "slug"}, Unique: true}, {Columns: []string{"slug", "rootId"}}}
	items := schema.FromStruct("vaultItem", "vault", reflect.TypeFor[item]())
	items.RowSecurity = "ownerId"
	return merge(t, append(coreTables(), schema.FromStruct("node", "forest", reflect.TypeFor[node]()), trees, items),
		schema.Extension{Table: "user", Columns: schema.Columns("two-factor", reflect.TypeFor[extra]())})
}

func steps() []migrations.Step {
	return []migrations.Step{
		{Plugin: "forest", Number: 1, Name: "plant", SQL: map[storage.Dialect][]string{
			storage.Postgres: {`INSERT INTO {node} ({node:id}) VALUES ('{}?')`, `UPDATE {node} SET {node:label} = 'oak' WHERE {node.id} = '{}?'`},
			storage.SQLite:   {`INSERT INTO {node} ({node:id}) VALUES ('{}?')`, `UPDATE {node} SET {node:label} = 'oak' WHERE {node.id} = '{}?'`},
		}},
		{Plugin: "forest", Number: 2, Name: "only there", SQL: map[storage.Dialect][]string{
			storage.Postgres: {`COMMENT ON TABLE {tree} IS 'trees'`},
		}},
	}
}
