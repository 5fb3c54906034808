package explain

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden file")

const golden = "testdata/explain.golden"

// allowed are scans of whole tables and sorts that are right as they are: a part of the
// plan's line and of the statement, and why.
var allowed = []struct{ line, statement, why string }{
	{"Seq Scan jwks", "", "the server has a handful of keys"},
	{"Sort", `FROM "public"."jwks"`, "the server has a handful of keys"},
	{"Sort", `"user_id" = $`, "what one user has"},
	{"Sort", `"user_id" IN ($`, "the events of one user"},
	{"Sort", `WHERE "user"."email" = $1`, "one user's passwords, of which there is one"},
	{"Sort", `WHERE "user"."id" = $1`, "one user's passwords, of which there is one"},
	{"Sort", `WHERE "invitation"."email" = $1`, "the invitations of one address"},
	{"Sort", `"verification"."identifier" IN ($`, "the secrets of one name"},
	{"Sort", `"session_id" = $`, "the tokens of one session"},
	{"Sort", `"organization_id" = $`, "the parts of one organization: its teams and roles are limited, and lists of members and invitations have an index in their order"},
	{"Sort", `"team_id" = $`, "the members of one team, which are limited"},
	{"Sort", `"seq" IS NULL`, "what was written within a second"},
}

// TestPlans compares the plan of every statement of the journey with the golden file, on
// tables with 20,000 rows each and with generic plans, which hold for all values. A table
// is read from its beginning to its end only where there is no other way: of a small one
// PostgreSQL would do it for the sake of a few hundred rows.
func TestPlans(t *testing.T) {
	w := newWorld(t)
	w.journey(t)
	fill(t, w.owner, w.want, w.names)
	db := open(t, w.role)
	db.SetMaxOpenConns(1)
	for _, set := range []string{"plan_cache_mode = force_generic_plan", "max_parallel_workers_per_gather = 0", "jit = off", "enable_seqscan = off",
		"enable_memoize = off"} { // which came with PostgreSQL 14
		if _, err := db.Exec("SET " + set); err != nil && !strings.Contains(set, "memoize") {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	plans := map[string][]string{}
	for _, s := range w.r.steps {
		fmt.Fprintf(&out, "# %s\n\n", s.name)
		slices.Sort(s.sql) // some begin anywhere
		for _, statement := range s.sql {
			if plans[statement] == nil {
				plans[statement] = explain(t, db, statement)
			}
			if len(plans[statement]) == 0 {
				continue // it looks for nothing
			}
			fmt.Fprintf(&out, "%s\n", normal(statement))
			for _, line := range plans[statement] {
				fmt.Fprintf(&out, "    %s\n", line)
				check(t, s.name, statement, line)
			}
			out.WriteString("\n")
		}
	}
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Errorf("%s is stale: go test ./bench/explain -update, and look at what has changed", golden)
	}
}

// check finds fault with a line of a plan.
func check(t *testing.T, step, statement, line string) {
	t.Helper()
	if !strings.Contains(line, "Seq Scan") && !strings.Contains(line, "Sort") {
		return
	}
	for _, a := range allowed {
		if strings.Contains(line, a.line) && strings.Contains(statement, a.statement) {
			return
		}
	}
	t.Errorf("%s: %s\n\t%s", step, strings.TrimSpace(line), statement)
}

var (
	lists   = regexp.MustCompile(`\((\$\d+)(, \$\d+)+\)`)
	columns = regexp.MustCompile(`(SELECT|RETURNING) "[^()]{40,}?"( FROM|$)`)
	built   = regexp.MustCompile(`json_build_array\([^()]*\)`)
	changes = regexp.MustCompile(`SET .{80,}?( WHERE| RETURNING|$)`)
)

// normal leaves out of a statement what says nothing of how rows are found.
func normal(statement string) string {
	statement = strings.ReplaceAll(statement, `"public".`, "")
	statement = built.ReplaceAllString(lists.ReplaceAllString(statement, "($1, ...)"), "json_build_array(...)")
	return changes.ReplaceAllString(columns.ReplaceAllString(statement, "$1 ...$2"), "SET ...$1")
}

type node struct {
	NodeType  string   `json:"Node Type"`
	Operation string   `json:"Operation"`
	Relation  string   `json:"Relation Name"`
	Index     string   `json:"Index Name"`
	Arbiters  []string `json:"Conflict Arbiter Indexes"`
	Plans     []node   `json:"Plans"`
}

// explain returns the plan, a line for each node that reads or orders rows.
func explain(t *testing.T, db *sql.DB, statement string) (lines []string) {
	t.Helper()
	n := 0
	for strings.Contains(statement, fmt.Sprintf("$%d", n+1)) {
		n++
	}
	if _, err := db.Exec("PREPARE plan AS " + statement); err != nil {
		if strings.HasPrefix(statement, "SET ") {
			return nil
		}
		t.Fatalf("%s: %v", statement, err)
	}
	defer func() {
		if _, err := db.Exec("DEALLOCATE plan"); err != nil {
			t.Fatal(err)
		}
	}()
	args := ""
	if n > 0 {
		args = "(NULL" + strings.Repeat(", NULL", n-1) + ")"
	}
	var raw []byte
	if err := db.QueryRow("EXPLAIN (COSTS OFF, FORMAT JSON) EXECUTE plan" + args).Scan(&raw); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	var plan []struct{ Plan node }
	if err := json.Unmarshal(raw, &plan); err != nil {
		t.Fatal(err)
	}
	for i := range plan {
		lines = append(lines, plan[i].Plan.lines("")...)
	}
	return lines
}

// dull nodes neither read nor order: which of them a version of PostgreSQL puts between
// the others is its own business.
var dull = map[string]bool{"Result": true, "Limit": true, "LockRows": true, "Materialize": true, "Subquery Scan": true, "CTE Scan": true,
	"ProjectSet": true, "Aggregate": true, "Nested Loop": true, "Hash": true, "Hash Join": true, "Append": true, "Values Scan": true, "Unique": true,
	"Function Scan": true, "BitmapOr": true, "Bitmap Heap Scan": true, "Group": true, "Merge Join": true}

func (n *node) lines(indent string) (out []string) {
	line := n.NodeType
	switch {
	case n.NodeType == "ModifyTable":
		line = n.Operation + " " + n.Relation
		if len(n.Arbiters) > 0 {
			line += " on conflict of " + strings.Join(n.Arbiters, ", ")
		}
	case n.Index != "":
		line += " " + n.Index
	case n.Relation != "":
		line += " " + n.Relation
	}
	plain := n.NodeType == "ModifyTable" && n.Operation == "Insert" && len(n.Arbiters) == 0
	if !dull[n.NodeType] && !plain {
		out = append(out, indent+line)
		indent += "  "
	}
	for i := range n.Plans {
		out = append(out, n.Plans[i].lines(indent)...)
	}
	return out
}

// foreignKeysSQL finds foreign keys whose columns no index begins with: deleting the row
// that they refer to reads the whole table.
const foreignKeysSQL = `
SELECT k.conrelid::regclass || ' (' || a.attname || ')'
FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.contype = 'f' AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = k.conrelid AND x.indkey[0] = k.conkey[1] AND x.indpred IS NULL)`

func TestForeignKeysHaveIndexes(t *testing.T) {
	w := newWorld(t)
	rows, err := open(t, w.owner).Query(foreignKeysSQL)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			t.Fatal(err)
		}
		t.Errorf("no index for the foreign key %s", key)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
