package core

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Ids that are numbers come from the sequences that the database fills the columns from, so
// that Better Auth and others can go on inserting rows without one. They are drawn before
// the row is written, some at a time: a row and those that refer to it are one batch, and
// most requests wait for no sequence. Numbers that were drawn and not used are lost, as a
// rolled-back insert loses one.
//
// SQLite has no sequences: a number is the next one while nobody else writes. It is drawn
// inside of the transaction that writes the row, and where nobody has to know it SQLite
// gives it to the row by itself.
const (
	serialBlock   = 32
	serialTimeout = 5 * time.Second
)

// serialIDs are drawn ids of one table.
type serialIDs struct {
	mu   sync.Mutex
	list []string
}

// numbered tells whether a key's type is a number. Elsewhere ids are random texts.
func numbered(typ string) bool {
	return typ == "integer" || typ == "bigint" || typ == "smallint"
}

// openSerial finds the tables whose keys are numbers.
func (h *Host) openSerial(live *schema.Live) error {
	if h.cfg.IDs != "serial" {
		return nil
	}
	sequences := true
	if h.cfg.Database.Dialect() == storage.SQLite {
		h.counter, sequences = h.cfg.Database.(storage.Counter)
	} else {
		_, sequences = h.cfg.Database.(storage.Sequencer)
	}
	if !sequences {
		return errors.New("core: ids: serial: this database adapter draws no numbers")
	}
	h.serial = map[string]*serialIDs{}
	for _, t := range h.schema.Tables {
		for _, c := range t.Columns {
			lt := live.Table(h.cfg.Names.Table(t.Name))
			if !c.PrimaryKey || lt == nil {
				continue
			}
			lc := lt.Column(h.cfg.Names.Column(t.Name, c.Name))
			if lc != nil && numbered(lc.Type) {
				if h.counter != nil && lc.Type != "integer" {
					return fmt.Errorf("core: ids: serial: the key of %q is %s: SQLite gives numbers to an INTEGER PRIMARY KEY alone", lt.Name, lc.Type)
				}
				h.serial[t.Name] = &serialIDs{}
			}
		}
	}
	if h.counter != nil && len(h.serial) > 0 && !h.cfg.SkipVerify && live.Table(storage.CounterTable) == nil {
		return fmt.Errorf("core: ids: serial: the table %q is missing: run the migrations", storage.CounterTable)
	}
	return nil
}

// numbersInTx tells whether the table's ids are drawn inside of transactions.
func (h *Host) numbersInTx(table string) bool { return h.counter != nil && h.serial[table] != nil }

func (h *Host) drawInTx(ctx context.Context, table string) (string, error) {
	tx, ok := ctx.Value(inTx{}).(*Tx)
	if !ok {
		return "", errNoTx
	}
	n, err := h.counter.CountUp(ctx, tx, table)
	return strconv.FormatInt(n, 10), err
}

// errNoTx says what the programmer did.
var errNoTx = errors.New("core: the id of a row was wanted outside of the transaction that writes the row: it is a number that is drawn inside")

// unnamedID is NewID for a row whose id nobody has to know: NULL where SQLite gives it.
func (h *Host) unnamedID(table string) (any, error) {
	if h.numbersInTx(table) {
		return nil, nil
	}
	return h.newID(table)
}

// unnamed puts the id of a new row, whose first column it is, into its statement.
func (h *Host) unnamed(table string, insert storage.Statement) (s storage.Statement, err error) {
	insert.Args[0], err = h.unnamedID(table)
	return insert, err
}

// next takes a drawn id, or draws more.
func (s *serialIDs) next(draw func(n int) ([]int64, error)) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == 0 {
		drawn, err := draw(serialBlock)
		if err != nil {
			return "", err
		}
		for _, n := range drawn {
			s.list = append(s.list, strconv.FormatInt(n, 10))
		}
	}
	if len(s.list) == 0 {
		return "", fmt.Errorf("core: a sequence gave no number")
	}
	id := s.list[0]
	s.list = s.list[1:]
	return id, nil
}

// draw asks the database. NewID has no context: the time is bounded here.
func (h *Host) draw(table string) func(n int) ([]int64, error) {
	return func(n int) ([]int64, error) {
		ctx, cancel := context.WithTimeout(context.Background(), serialTimeout)
		defer cancel()
		return h.cfg.Database.(storage.Sequencer).NextIDs(ctx, table, n)
	}
}
