package emailpassword_test

import (
	"fmt"

	"github.com/sallyport-auth/sallyport/core"
	"github.com/sallyport-auth/sallyport/plugins/emailpassword"
)

// The zero Options let anybody sign up and in; mails need a mailer. Limits on passwords
// are core's, since other plugins set passwords too.
func ExampleNew() {
	config := core.Config{
		BaseURL:  "https://auth.example.com",
		Secret:   "replace-me-by-what-sallyport-secret-prints",
		Password: core.PasswordConfig{MinLength: 12},
		Plugins: []core.Plugin{emailpassword.New(emailpassword.Options{
			RequireEmailVerification: true,
			ResetTokenExpiresIn:      900, // 15 minutes
		})},
	}
	auth, err := core.Describe(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range auth.Routes() {
		if r.Plugin == emailpassword.ID && r.Access == core.SessionRequired.String() {
			fmt.Println(r.Methods[0], r.Path)
		}
	}
	// Output:
	// POST /api/auth/change-password
	// POST /api/auth/verify-password
}
