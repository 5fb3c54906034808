package migrations

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Ledger is the table that records the steps which ran.
const Ledger = "sallyport_migration"

func (p *planner) ledger() string {
	at := typeOf(p.Dialect, schema.Time, schema.TimeText)
	return "CREATE TABLE " + p.Qualify(Ledger) + ` (
	"plugin" text NOT NULL,
	"number" integer NOT NULL,
	"name" text NOT NULL,
	"checksum" text NOT NULL,
	"applied_at" ` + at + ` NOT NULL,
	PRIMARY KEY ("plugin", "number")
)`
}

// counter is the table by which the ids of tables that are there are drawn where these are
// numbers and the database has no sequences; empty if it is not needed.
func (p *planner) counter() string {
	if p.Dialect != storage.SQLite || p.live.Table(storage.CounterTable) != nil {
		return ""
	}
	for i := range p.Schema.Tables {
		t := &p.Schema.Tables[i]
		lt := p.live.Table(p.Names.Table(t.Name))
		for _, c := range t.Columns {
			if lt == nil || !c.PrimaryKey || c.Kind != schema.String {
				continue
			}
			if lc := lt.Column(p.Names.Column(t.Name, c.Name)); lc != nil && lc.Type == "integer" {
				return "CREATE TABLE " + p.Qualify(storage.CounterTable) + ` ("table" text PRIMARY KEY NOT NULL, "last" integer NOT NULL)`
			}
		}
	}
	return ""
}

// StepKey is how a step is called in the ledger: "plugin/number".
func StepKey(plugin string, number int) string { return plugin + "/" + strconv.Itoa(number) }

// Checksum returns the checksum of a step's statements for a dialect: SHA-256 in hex
// over them as JSON, before names are put in. The name of the step may change.
func Checksum(s Step, d storage.Dialect) string {
	text, err := json.Marshal(s.SQL[d])
	if err != nil {
		panic("migrations: " + err.Error()) // strings always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// steps adds the steps that did not run, each with its entry in the ledger.
func (p *planner) steps(steps []Step, done map[string]string) error {
	next := map[string]int{}
	known := map[string]bool{}
	for _, s := range steps {
		next[s.Plugin]++
		key := StepKey(s.Plugin, s.Number)
		if s.Plugin == "" || s.Number != next[s.Plugin] {
			return fmt.Errorf("migrations: step %s (%s) should have number %d: a plugin's steps count from 1 without gaps", key, s.Name, next[s.Plugin])
		}
		known[key] = true
		sum := Checksum(s, p.Dialect)
		if old, ok := done[key]; ok {
			if old != sum {
				return fmt.Errorf("migrations: step %s (%s) was changed after it ran: its checksum is %.12s, the ledger has %.12s", key, s.Name, sum, old)
			}
			continue
		}
		p.plan.Pending = append(p.plan.Pending, s)
		for _, sql := range s.SQL[p.Dialect] {
			text, err := p.expand(sql)
			if err != nil {
				return fmt.Errorf("migrations: step %s (%s): %w", key, s.Name, err)
			}
			p.plan.add(s.Plugin, text)
		}
		p.plan.add(s.Plugin, p.record(s, sum))
	}
	for _, key := range slices.Sorted(maps.Keys(done)) {
		if !known[key] {
			p.plan.Notes = append(p.plan.Notes, "step "+key+" ran in the past and is not known any more")
		}
	}
	return nil
}

// record writes a step into the ledger. The time is the database's, so that the plan
// is the same whenever it is made.
func (p *planner) record(s Step, sum string) string {
	now := "CURRENT_TIMESTAMP"
	if p.Dialect == storage.SQLite {
		now = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
	}
	return "INSERT INTO " + p.Qualify(Ledger) + ` ("plugin", "number", "name", "checksum", "applied_at") VALUES (` +
		literal(s.Plugin) + ", " + strconv.Itoa(s.Number) + ", " + literal(s.Name) + ", " + literal(sum) + ", " + now + ")"
}

var placeholder = regexp.MustCompile(`\{(\w+)([.:]\w+)?\}`)

// expand puts names into a step's statement.
func (p *planner) expand(sql string) (string, error) {
	var fault error
	out := placeholder.ReplaceAllStringFunc(sql, func(s string) string {
		if p.Schema.Table(placeholder.FindStringSubmatch(s)[1]) == nil {
			return s
		}
		text, err := p.Name(s[1 : len(s)-1])
		if err != nil {
			fault = err
		}
		return text
	})
	return out, fault
}
