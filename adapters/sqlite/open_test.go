package sqlite_test

import (
	"path/filepath"
	"sync"
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/sqlite"
)

// Programs that start at the same moment all find a new file, and one makes its write-ahead
// log: SQLite tells the others at once that it is busy, and none may fail by that.
func TestOpenAtOnce(t *testing.T) {
	for range 100 {
		file := filepath.Join(t.TempDir(), "test.db")
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				db, err := sqlite.Open(t.Context(), file, sqlite.Options{})
				if err != nil {
					t.Error(err)
					return
				}
				db.Close()
			})
		}
		wg.Wait()
	}
}
