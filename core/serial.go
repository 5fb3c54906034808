package core

import (
	"context"
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
	if _, ok := h.cfg.Database.(storage.Sequencer); !ok {
		return fmt.Errorf("core: ids: serial needs a database with sequences, which %s is not", h.cfg.Database.Dialect())
	}
	h.serial = map[string]*serialIDs{}
	for _, t := range h.schema.Tables {
		for _, c := range t.Columns {
			lt := live.Table(h.cfg.Names.Table(t.Name))
			if !c.PrimaryKey || lt == nil {
				continue
			}
			if lc := lt.Column(h.cfg.Names.Column(t.Name, c.Name)); lc != nil && numbered(lc.Type) {
				h.serial[t.Name] = &serialIDs{}
			}
		}
	}
	return nil
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
