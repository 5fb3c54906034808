// Command server is Sallyport as the conformance suite starts it: set up by PORT, SINK,
// SECRET, PLUGINS, OPTIONS, DATABASE_URL and DATABASE_PATH (see ../README.md), on a fresh SQLite
// database in memory or on PostgreSQL in Better Auth's naming and hash, so that either
// server can go on with the other's database.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-auth/sallyport/adapters/notify"
	"github.com/sallyport-auth/sallyport/adapters/postgres"
	"github.com/sallyport-auth/sallyport/adapters/sqlite"
	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/core/contract"
	"github.com/sallyport-auth/sallyport/core/schema"
	"github.com/sallyport-auth/sallyport/core/storage"
	"github.com/sallyport-auth/sallyport/migrations"
	authfiber "github.com/sallyport-auth/sallyport/server/fiber"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "conformance server:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	port := os.Getenv("PORT")
	if port == "" {
		port = "3900"
	}
	var o options
	if err := o.parse(os.Getenv("OPTIONS")); err != nil {
		return err
	}
	db, shared, err := open(ctx, os.Getenv("DATABASE_URL"), os.Getenv("DATABASE_PATH"))
	if err != nil {
		return err
	}
	defer db.Close()
	cfg := o.config("http://localhost:" + port)
	cfg.Secret = os.Getenv("SECRET")
	cfg.Database = db
	cfg.Logger = slog.New(slog.NewTextHandler(logs(), nil))
	if cfg.Mailer, err = mailer(os.Getenv("SINK")); err != nil {
		return err
	}
	if cfg.Plugins, err = o.plugins(os.Getenv("PLUGINS")); err != nil {
		return err
	}
	if shared {
		if cfg, err = adoptNames(ctx, cfg); err != nil {
			return err
		}
		if cfg.Plugins, err = o.plugins(os.Getenv("PLUGINS")); err != nil {
			return err
		}
	}
	if err := migrate(ctx, cfg); err != nil {
		return err
	}
	if cfg.Plugins, err = o.plugins(os.Getenv("PLUGINS")); err != nil {
		return err
	}
	auth, err := core.New(ctx, cfg)
	if err != nil {
		return err
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, BodyLimit: 2 << 20, ReadBufferSize: 32 << 10,
		DisablePreParseMultipartForm: true})
	authfiber.Mount(app, auth, authfiber.WithoutCORS())
	app.Use(func(c *fiber.Ctx) error {
		c.Response().Header.SetNoDefaultContentType(true)
		c.Status(fiber.StatusNotFound)
		return nil
	})
	done := make(chan error, 1)
	go func() { done <- app.Listen("127.0.0.1:" + port) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return errors.Join(app.ShutdownWithContext(closing), auth.Close(closing))
}

func open(ctx context.Context, url, path string) (db storage.Database, shared bool, err error) {
	if path != "" {
		db, err = sqlite.Open(ctx, path, sqlite.Options{})
		return db, true, err
	}
	if url == "" {
		db, err = sqlite.Open(ctx, sqlite.Memory, sqlite.Options{})
		return db, false, err
	}
	if !strings.Contains(url, "sslmode=") {
		// As the npm package pg does it: no TLS unless asked for.
		sep := "?"
		if strings.Contains(url, "?") {
			sep = "&"
		}
		url += sep + "sslmode=disable"
	}
	db, err = postgres.Open(ctx, url, postgres.Options{MaxOpen: 8})
	return db, true, err
}

func mailer(sink string) (contract.Mailer, error) {
	if sink == "" {
		return nil, nil
	}
	return notify.New(notify.Options{URL: sink, ServiceKey: "conformance", AppID: "conformance"})
}

// migrate compiles the configuration once to learn its schema, and brings the database
// to it.
func migrate(ctx context.Context, cfg core.Config) error {
	cfg.SkipVerify, cfg.NoBackground = true, true
	auth, err := core.New(ctx, cfg)
	if err != nil {
		return err
	}
	defer auth.Close(ctx)
	want, names, steps := auth.Schema()
	live, err := cfg.Database.Inspect(ctx)
	if err != nil {
		return err
	}
	// This server is the role that it migrates as: it would make tables and then refuse to start.
	secured := func(t schema.Table) bool { return t.RowSecurity != "" }
	if why := schema.Bypasses(live); why != "" && slices.ContainsFunc(want.Tables, secured) {
		return errors.New(why)
	}
	_, err = migrations.Apply(ctx, cfg.Database, want, names, steps)
	return err
}

func logs() io.Writer {
	if os.Getenv("VERBOSE") != "" {
		return os.Stderr
	}
	return io.Discard
}
