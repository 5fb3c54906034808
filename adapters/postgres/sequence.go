package postgres

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/sallyport-auth/sallyport/core/storage"
)

var _ storage.Sequencer = (*Database)(nil)

// nextSQL finds the sequence of an identity or serial column. The table's name is text that
// is read as an identifier, hence its quotes.
const nextSQL = `SELECT pg_catalog.nextval(pg_catalog.pg_get_serial_sequence($1, $2)) FROM pg_catalog.generate_series(1, $3)`

// NextIDs implements storage.Sequencer. Callers may hold a transaction, so that a database
// that Open made has a connection for this alone: all transactions could wait for numbers,
// and these for a connection.
func (d *Database) NextIDs(ctx context.Context, table string, n int) ([]int64, error) {
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
	rows, err := d.numbers().QueryContext(ctx, nextSQL, x.Qualify(names.Table(table)), key, n)
	if err != nil {
		return nil, d.Fail(ctx, err)
	}
	defer rows.Close()
	var out []int64
	for rows.Next() {
		var v sql.NullInt64
		if err := rows.Scan(&v); err != nil {
			return nil, d.Fail(ctx, err)
		}
		if !v.Valid {
			return nil, &storage.Error{Kind: storage.Schema, Table: table, Err: fmt.Errorf("column %q has no sequence of its own", key)}
		}
		out = append(out, v.Int64)
	}
	if err := rows.Err(); err != nil {
		return nil, d.Fail(ctx, err)
	}
	return out, nil
}

func (d *Database) numbers() *sql.DB {
	if d.sequences != nil {
		return d.sequences
	}
	return d.db.DB
}

// Close implements storage.Database.
func (d *Database) Close() error {
	err := d.DB.Close()
	if d.sequences != nil {
		_ = d.sequences.Close()
	}
	return err
}
