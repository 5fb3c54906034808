package plugintest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCorePoints: a point that core gets must be among those where hooks are made to fail.
func TestCorePoints(t *testing.T) {
	known := map[string]bool{}
	for _, p := range corePoints {
		known[p.name] = true
	}
	files, err := filepath.Glob("../core/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	found := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`\n\t?(?:var )?\w+\s+= NewPoint\[\w+\]\("([^"]+)"\)`).FindAllStringSubmatch(string(text), -1) {
			if found++; !known[m[1]] {
				t.Errorf("core's point %q is not in corePoints", m[1])
			}
		}
	}
	if found != len(corePoints) {
		t.Errorf("core has %d points, the kit knows %d", found, len(corePoints))
	}
}
