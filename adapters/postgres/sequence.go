package postgres

import (
	"context"
	"fmt"

	"github.com/sallyport-auth/sallyport/core/storage"
)

var _ storage.Sequencer = (*Database)(nil)

// nextSQL finds the sequence of an identity or serial column. The table's name is text that
// is read as an identifier, hence its quotes.
const nextSQL = `SELECT pg_catalog.nextval(pg_catalog.pg_get_serial_sequence(?, ?)) FROM pg_catalog.generate_series(1, ?)`

// NextIDs implements storage.Sequencer.
func (d *Database) NextIDs(ctx context.Context, q storage.Conn, table string, n int) ([]int64, error) {
	s, names := d.Bound()
	key := ""
	if t := s.Table(table); t != nil {
		for _, c := range t.Columns {
			if c.PrimaryKey {
				key = names.Column(table, c.Name)
			}
		}
	}
	x := storage.Expander{Dialect: storage.Postgres, Names: names}
	rows, err := q.Query(ctx, nextSQL, x.Qualify(names.Table(table)), key, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []int64
	for rows.Next() {
		var v *int64
		if err := rows.Scan(storage.Dest(&v)); err != nil {
			return nil, err
		}
		if v == nil {
			return nil, &storage.Error{Kind: storage.Schema, Table: table, Err: fmt.Errorf("column %q has no sequence of its own", key)}
		}
		out = append(out, *v)
	}
	return out, rows.Err()
}
