package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/sallyport-auth/sallyport/adapters/logmail"
	"github.com/sallyport-auth/sallyport/adapters/sqlite"
	"github.com/sallyport-auth/sallyport/core"
)

func main() {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, "app.db", sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	mail, err := logmail.New(os.Stderr, logmail.Options{})
	if err != nil {
		log.Fatal(err)
	}
	c := config(core.Config{BaseURL: "http://localhost:8080", Secret: os.Getenv("SECRET"), Database: db, Mailer: mail})
	if err := migrate(ctx, c); err != nil {
		log.Fatal(err)
	}
	auth, err := core.New(ctx, c)
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: "localhost:8080", Handler: handler(auth), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}
