// Command limits is what bench/compare holds the servers against: bare Fiber handlers that
// do the unavoidable work of a request and nothing else. No cookie is parsed, no origin, expiry or
// limit is looked at.
package main

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"log"
	"os"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/golang-jwt/jwt/v5"
	"github.com/jmoiron/sqlx"
	_ "github.com/lib/pq"
)

type row struct {
	ID            string    `db:"id" json:"id"`
	Token         string    `db:"token" json:"token"`
	UserID        string    `db:"userId" json:"userId"`
	ExpiresAt     time.Time `db:"expiresAt" json:"expiresAt"`
	CreatedAt     time.Time `db:"createdAt" json:"createdAt"`
	UpdatedAt     time.Time `db:"updatedAt" json:"updatedAt"`
	IPAddress     *string   `db:"ipAddress" json:"ipAddress"`
	UserAgent     *string   `db:"userAgent" json:"userAgent"`
	Name          string    `db:"name" json:"name"`
	Email         string    `db:"email" json:"email"`
	EmailVerified bool      `db:"emailVerified" json:"emailVerified"`
	Image         *string   `db:"image" json:"image"`
	UserCreated   time.Time `db:"uc" json:"userCreatedAt"`
	UserUpdated   time.Time `db:"uu" json:"userUpdatedAt"`
}

const join = `SELECT s.id, s.token, s."userId", s."expiresAt", s."createdAt", s."updatedAt", s."ipAddress", s."userAgent",
	u.name, u.email, u."emailVerified", u.image, u."createdAt" AS uc, u."updatedAt" AS uu
	FROM session s JOIN "user" u ON u.id = s."userId" WHERE s.token = $1`

var secret = []byte("a constant of thirty-two letters")

func main() {
	db, err := sqlx.Connect("postgres", os.Getenv("DATABASE_URL"))
	check(err)
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	find, err := db.Preparex(join)
	check(err)
	signed := hmac.New(sha256.New, secret).Sum(nil)
	sign := func(c *fiber.Ctx) bool {
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(c.Get("X-Token")))
		return !hmac.Equal(m.Sum(nil), signed)
	}
	get := func(c *fiber.Ctx) (r row, err error) { return r, find.Get(&r, c.Get("X-Token")) }
	_, private, err := ed25519.GenerateKey(nil)
	check(err)
	memory := map[string]row{}
	var all []row
	check(db.Select(&all, join[:len(join)-len("WHERE s.token = $1")]))
	for _, r := range all {
		memory[r.Token] = r
	}

	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/ok", func(c *fiber.Ctx) error { return c.SendString("ok") })
	app.Get("/session", func(c *fiber.Ctx) error {
		r, err := get(c)
		if err != nil || !sign(c) {
			return fiber.ErrUnauthorized
		}
		return c.JSON(r)
	})
	app.Get("/memory", func(c *fiber.Ctx) error {
		r, ok := memory[c.Get("X-Token")]
		if !ok || !sign(c) {
			return fiber.ErrUnauthorized
		}
		return c.JSON(r)
	})
	app.Get("/token", func(c *fiber.Ctx) error {
		r, err := get(c)
		if err != nil || !sign(c) {
			return fiber.ErrUnauthorized
		}
		t, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{"sub": r.UserID, "email": r.Email, "name": r.Name,
			"iss": "a", "aud": "a", "iat": time.Now().Unix(), "exp": time.Now().Add(15 * time.Minute).Unix()}).SignedString(private)
		if err != nil {
			return err
		}
		return c.JSON(fiber.Map{"token": t})
	})
	log.Fatal(app.Listen("127.0.0.1:" + os.Getenv("PORT")))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
