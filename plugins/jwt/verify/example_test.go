package verify_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"

	"github.com/sallyport-auth/sallyport/plugins/jwt/verify"
)

// A service that lets in who brings a token of ours.
func Example() {
	v, err := verify.New(verify.Options{
		JWKSURL:  "https://auth.example.com/api/auth/jwks",
		Issuer:   "https://auth.example.com",
		Audience: "https://auth.example.com",
	})
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("GET /hello", func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		claims, err := v.Verify(r.Context(), token)
		switch {
		case errors.Is(err, verify.ErrUnavailable):
			http.Error(w, "try again later", http.StatusServiceUnavailable)
		case err != nil:
			http.Error(w, "unauthorized", http.StatusUnauthorized)
		default:
			fmt.Fprintln(w, "hello", claims.Subject)
		}
	})
}
