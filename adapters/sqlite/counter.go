package sqlite

import (
	"context"

	"github.com/sallyport-auth/sallyport/core/storage"
)

var _ storage.Counter = (*Database)(nil)

// AUTOINCREMENT keeps the highest number that a table ever had in sqlite_sequence, a table that
// is there once any table has it. What nobody else knows of is what we drew and undid or deleted.
const (
	autoincrements = "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"
	ofSequence     = "(SELECT seq FROM sqlite_sequence WHERE name = ?)"
)

// CountUp implements storage.Counter. A transaction has the write lock from its beginning, so
// that nobody else takes the number before the row is there.
func (d *Database) CountUp(ctx context.Context, tx storage.Conn, table string) (n int64, err error) {
	s, names := d.Bound()
	key, name := "", names.Table(table)
	if t := s.Table(table); t != nil {
		for _, c := range t.Columns {
			if c.PrimaryKey {
				key = c.Name
			}
		}
	}
	var has int64
	if err := one(ctx, tx, &has, autoincrements); err != nil {
		return 0, err
	}
	sequence, args := "0", []any{name}
	if has > 0 {
		sequence, args = ofSequence, append(args, name)
	}
	// The next number follows the highest of three: of the rows, of AUTOINCREMENT, of ours.
	err = one(ctx, tx, &n, `INSERT INTO "`+storage.CounterTable+`" ("table", "last") SELECT ?, max(coalesce((SELECT max({`+table+":"+key+"}) FROM {"+table+"}), 0), coalesce("+
		sequence+`, 0)) + 1 WHERE true ON CONFLICT ("table") DO UPDATE SET "last" = max("last" + 1, excluded."last") RETURNING "last"`, args...)
	return n, err
}

// one reads one number, if there is a row.
func one(ctx context.Context, q storage.Conn, n *int64, sql string, args ...any) error {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(storage.Dest(n)); err != nil {
			return err
		}
	}
	return rows.Err()
}
