package sqldb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sallyport-auth/sallyport/core/storage"
)

// maxBatch is how many statements a batch may have.
const maxBatch = 100

// Batch implements storage.Conn.
func (d *DB) Batch(ctx context.Context, statements ...storage.Statement) ([]int64, error) {
	if len(statements) == 0 {
		return nil, nil
	}
	if err := checkBatch(statements); err != nil {
		return nil, err
	}
	if d.cfg.Dialect == storage.Postgres || len(statements) == 1 {
		return batchOf(ctx, d, statements)
	}
	tx, err := d.Begin(ctx, storage.TxOptions{})
	if err != nil {
		return nil, err
	}
	counts, err := inAnyOrder(ctx, tx, statements)
	if err != nil {
		_ = tx.Rollback()
		return nil, err
	}
	return counts, tx.Commit()
}

// Batch implements storage.Conn.
func (t *Tx) Batch(ctx context.Context, statements ...storage.Statement) ([]int64, error) {
	if len(statements) == 0 {
		return nil, nil
	}
	if err := checkBatch(statements); err != nil {
		return nil, err
	}
	if t.d.cfg.Dialect == storage.Postgres || len(statements) == 1 {
		return batchOf(ctx, t, statements)
	}
	if _, err := t.Exec(ctx, "SAVEPOINT batch"); err != nil {
		return nil, err
	}
	counts, err := inAnyOrder(ctx, t, statements)
	if err != nil {
		// The caller's context may be over; the undoing must happen all the same.
		ctx = context.WithoutCancel(ctx)
		if _, undo := t.Exec(ctx, "ROLLBACK TO batch"); undo != nil {
			return nil, errors.Join(err, undo)
		}
	}
	if _, end := t.Exec(ctx, "RELEASE batch"); end != nil && err == nil {
		return nil, end
	}
	return counts, err
}

func checkBatch(statements []storage.Statement) error {
	if len(statements) > maxBatch {
		return &storage.Error{Err: fmt.Errorf("a batch of %d statements, at most %d are taken", len(statements), maxBatch)}
	}
	for _, s := range statements {
		verb, _, _ := strings.Cut(strings.TrimSpace(s.SQL), " ")
		switch strings.ToUpper(verb) {
		case "INSERT", "UPDATE", "DELETE":
		default:
			return &storage.Error{Err: errors.New("a batch takes INSERT, UPDATE and DELETE only")}
		}
	}
	return nil
}

// batchOf runs statements as one data-modifying WITH. PostgreSQL checks foreign keys
// at its end, so their order does not matter.
func batchOf(ctx context.Context, q storage.Conn, statements []storage.Statement) ([]int64, error) {
	if len(statements) == 1 {
		n, err := q.Exec(ctx, statements[0].SQL, statements[0].Args...)
		if err == nil {
			err = missed(statements[0], n)
		}
		if err != nil {
			return nil, err
		}
		return []int64{n}, nil
	}
	var with, counts strings.Builder
	var args []any
	must := false
	for i, s := range statements {
		name := "b" + strconv.Itoa(i)
		if i > 0 {
			with.WriteString(", ")
			counts.WriteString(", ")
		}
		with.WriteString(name + " AS (" + s.SQL + " RETURNING 1)")
		count := "count(*)"
		if s.Must { // a failure is all that undoes a statement from inside: the count, or 0 by 0
			must, count = true, "count(*) / least(count(*), 1)"
		}
		counts.WriteString("(SELECT " + count + " FROM " + name + ")")
		args = append(args, s.Args...)
	}
	rows, err := q.Query(ctx, "WITH "+with.String()+" SELECT "+counts.String(), args...)
	if err != nil {
		return nil, missing(must, err)
	}
	defer rows.Close()
	out := make([]int64, len(statements))
	dest := make([]any, len(statements))
	for i := range out {
		dest[i] = &out[i]
	}
	if rows.Next() {
		err = rows.Scan(dest...)
	}
	if err == nil {
		err = rows.Err()
	}
	if err != nil {
		return nil, missing(must, err)
	}
	return out, nil
}

// missed is the error where a statement that must touch a row has touched none.
func missed(s storage.Statement, n int64) error {
	if !s.Must || n > 0 {
		return nil
	}
	return &storage.Error{Kind: storage.Missed, Err: errMissed}
}

var errMissed = errors.New("a statement that must touch a row has touched none")

// missing tells a division by zero, which templates do not do, for what it is.
func missing(must bool, err error) error {
	var e *storage.Error
	if must && errors.As(err, &e) && e.SQLState == "22012" {
		return &storage.Error{Kind: storage.Missed, Err: errMissed}
	}
	return err
}

// inAnyOrder runs statements one by one. One that misses a row it refers to is tried
// again after the others: they do not depend on each other in any other way.
func inAnyOrder(ctx context.Context, q storage.Conn, statements []storage.Statement) ([]int64, error) {
	counts := make([]int64, len(statements))
	left := make([]int, len(statements))
	for i := range left {
		left[i] = i
	}
	for {
		var waiting []int
		var missing error
		for _, i := range left {
			n, err := q.Exec(ctx, statements[i].SQL, statements[i].Args...)
			switch {
			case err == nil:
				if err := missed(statements[i], n); err != nil {
					return nil, err
				}
				counts[i] = n
			case storage.KindOf(err) == storage.ForeignKey:
				waiting, missing = append(waiting, i), err
			default:
				return nil, err
			}
		}
		if len(waiting) == 0 {
			return counts, nil
		}
		if len(waiting) == len(left) {
			return nil, missing
		}
		left = waiting
	}
}
