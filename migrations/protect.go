package migrations

import (
	"slices"
	"strings"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// secure turns on row-level security: for the table's owner too, on the user that the
// transaction runs for. lt is nil for a new table.
func (p *planner) secure(t *schema.Table, lt *schema.LiveTable) {
	if t.RowSecurity == "" || p.Dialect != storage.Postgres {
		return
	}
	table := p.Names.Table(t.Name)
	policy := schema.ConstraintName(table, "", "owner")
	if lt == nil || !lt.RowSecurity {
		p.protect(t, "ALTER TABLE "+p.Table(t.Name)+" ENABLE ROW LEVEL SECURITY")
		p.protect(t, "ALTER TABLE "+p.Table(t.Name)+" FORCE ROW LEVEL SECURITY")
	}
	if lt == nil || !slices.Contains(lt.Policies, policy) {
		// An empty setting is what a connection keeps of a user's transaction: nobody.
		match := storage.Quote(p.Names.Column(t.Name, t.RowSecurity)) + "::text = NULLIF(current_setting('app.current_user_id', true), '')"
		p.protect(t, "CREATE POLICY "+storage.Quote(policy)+" ON "+p.Table(t.Name)+" USING ("+match+") WITH CHECK ("+match+")")
	}
	if lt != nil && (!lt.RowSecurity || !slices.Contains(lt.Policies, policy)) {
		p.plan.Missing = append(p.plan.Missing, Missing{Plugin: t.Owner, Table: t.Name, LiveTable: table, RowSecured: true})
	}
}

func (p *planner) protect(t *schema.Table, sql string) {
	p.security = append(p.security, Statement{t.Owner, sql})
}

// appendOnly has the database refuse to change rows, to delete them and to empty the
// table, whoever asks; only erasable columns may become NULL. lt is nil for a new table.
// The table's owner can take the trigger away again: a service that must not be able to
// runs under another role.
func (p *planner) appendOnly(t *schema.Table, lt *schema.LiveTable) {
	table := p.Names.Table(t.Name)
	name := schema.AppendOnlyTrigger(table)
	if !t.AppendOnly || lt != nil && slices.Contains(lt.Triggers, name) {
		return
	}
	if lt != nil {
		p.plan.Missing = append(p.plan.Missing, Missing{Plugin: t.Owner, Table: t.Name, LiveTable: table, AppendOnly: true})
	}
	if p.Dialect == storage.SQLite {
		p.appendOnlySQLite(t, name)
		return
	}
	p.appendOnlyPostgres(t, name)
}

func (p *planner) appendOnlyPostgres(t *schema.Table, name string) {
	function := storage.Quote(p.Names.SchemaName()) + "." + storage.Quote(name)
	var erasable, nulls []string
	for _, c := range t.Erasable {
		column := p.Names.Column(t.Name, c)
		erasable = append(erasable, "'"+strings.ReplaceAll(column, "'", "''")+"'")
		nulls = append(nulls, "(NEW."+storage.Quote(column)+" IS NULL OR NEW."+storage.Quote(column)+" = OLD."+storage.Quote(column)+")")
	}
	may := ""
	if len(erasable) > 0 {
		rest := " - ARRAY[" + strings.Join(erasable, ", ") + "]"
		may = "\tIF TG_OP = 'UPDATE' AND to_jsonb(NEW)" + rest + " = to_jsonb(OLD)" + rest + " AND " + strings.Join(nulls, " AND ") + " THEN\n\t\tRETURN NEW;\n\tEND IF;\n"
	}
	p.protect(t, "CREATE OR REPLACE FUNCTION "+function+"() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n"+may+
		"\tRAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME USING ERRCODE = 'check_violation';\nEND\n$$")
	// TRUNCATE has no rows: its trigger is one of statements.
	for _, trigger := range [][3]string{{schema.ConstraintName(p.Names.Table(t.Name), "", "no_truncate"), "TRUNCATE", "STATEMENT"}, {name, "UPDATE OR DELETE", "ROW"}} {
		on := storage.Quote(trigger[0])
		// One that is there is switched off, or the other is what was missing.
		p.protect(t, "DROP TRIGGER IF EXISTS "+on+" ON "+p.Table(t.Name))
		p.protect(t, "CREATE TRIGGER "+on+" BEFORE "+trigger[1]+" ON "+p.Table(t.Name)+" FOR EACH "+trigger[2]+" EXECUTE FUNCTION "+function+"()")
	}
}

func (p *planner) appendOnlySQLite(t *schema.Table, name string) {
	var same []string
	for i := range t.Columns {
		c := storage.Quote(p.Names.Column(t.Name, t.Columns[i].Name))
		cond := "NEW." + c + " IS OLD." + c
		if slices.Contains(t.Erasable, t.Columns[i].Name) {
			cond = "(NEW." + c + " IS NULL OR " + cond + ")"
		}
		same = append(same, cond)
	}
	refuse := " BEGIN SELECT RAISE(ABORT, 'rows are never changed'); END"
	p.protect(t, "CREATE TRIGGER IF NOT EXISTS "+storage.Quote(schema.ConstraintName(p.Names.Table(t.Name), "", "no_delete"))+" BEFORE DELETE ON "+p.Table(t.Name)+refuse)
	p.protect(t, "CREATE TRIGGER "+storage.Quote(name)+" BEFORE UPDATE ON "+p.Table(t.Name)+" WHEN NOT ("+strings.Join(same, " AND ")+")"+refuse)
}
