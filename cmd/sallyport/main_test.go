package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport-auth/sallyport/cli"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden compares what the program prints about itself with files: a change of the
// wire or of an option is seen in the review.
func TestGolden(t *testing.T) {
	for _, tt := range []struct {
		file string
		args []string
	}{
		{"testdata/routes.txt", []string{"routes"}},
		{"testdata/errors.txt", []string{"errors"}},
		{"testdata/help.txt", []string{"help"}},
		{"../../docs/configuration.md", []string{"config", "docs"}},
		{"../../conformance/types/auth.gen.ts", []string{"generate", "ts", "--config", "../../conformance/types/sallyport.yaml"}},
	} {
		t.Run(filepath.Base(tt.file), func(t *testing.T) {
			var out, errs bytes.Buffer
			p := cli.Program{Version: "test", Plugins: plugins}
			if code := p.Run(context.Background(), tt.args, nil, &out, &errs); code != 0 {
				t.Fatalf("exit code %d: %s", code, errs.String())
			}
			if *update {
				if err := os.WriteFile(tt.file, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(tt.file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(out.Bytes(), want) {
				t.Errorf("%s is stale: run go generate ./server, then go test ./cmd/sallyport -update", tt.file)
			}
		})
	}
}
