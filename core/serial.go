package core

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
)

// Ids that are numbers come from the sequences that the database fills the columns from, so
// that Better Auth and others can go on inserting rows without one. They are drawn before
// the row is written, some at a time: a row and those that refer to it are one batch, and
// most requests wait for no sequence. Numbers that were drawn and not used are lost, as a
// rolled-back insert loses one. Where nobody has to know the number, the database gives it
// to the row by itself.
//
// SQLite has no sequences: a number is the next one while nobody else writes. It is drawn
// inside of the transaction that writes the row.
const serialBlock = 32

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
	if h.cfg.IDs != "serial" || h.cfg.NewID != nil {
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

// unnamed completes the insertion of a row whose id, its first column, nobody has to know.
func (h *Host) unnamed(table string, insert storage.Statement) (s storage.Statement, err error) {
	switch {
	case h.numbersInTx(table):
		insert.Args[0] = nil
	case h.drawn(table):
		insert.SQL, insert.Args = strings.Replace(insert.SQL, "VALUES (?", "VALUES (DEFAULT", 1), insert.Args[1:]
	default:
		insert.Args[0], err = h.randomID(table)
	}
	return insert, err
}

// drawn tells whether the table's ids come from a sequence.
func (h *Host) drawn(table string) bool { return h.counter == nil && h.serial[table] != nil }

// draw takes a drawn id, or draws more: inside of a transaction by its own connection, for
// all others may be held by transactions that want a number, too. For the same reason nobody
// waits for who draws; several at once draw more than they need.
func (h *Host) draw(ctx context.Context, table string) (string, error) {
	s := h.serial[table]
	if id := s.next(); id != "" {
		return id, nil
	}
	tx, _ := ctx.Value(inTx{}).(*Tx)
	drawn, err := h.cfg.Database.(storage.Sequencer).NextIDs(ctx, h.conn(tx), table, serialBlock)
	if err != nil {
		return "", err
	}
	s.add(drawn)
	if id := s.next(); id != "" {
		return id, nil
	}
	return "", errors.New("core: a sequence gave no number")
}

// next takes a drawn id; "" if there is none.
func (s *serialIDs) next() (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) > 0 {
		id, s.list = s.list[0], s.list[1:]
	}
	return id
}

func (s *serialIDs) add(drawn []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range drawn {
		s.list = append(s.list, strconv.FormatInt(n, 10))
	}
}
