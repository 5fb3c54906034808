package contract_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/sallyport-auth/sallyport/core/contract"
)

func TestPermanent(t *testing.T) {
	plain := errors.New("no such user")
	p := contract.Permanent(plain)
	if p.Error() != plain.Error() || !errors.Is(p, plain) || contract.Permanent(nil) != nil {
		t.Errorf("%v hides %v", p, plain)
	}
	for _, err := range []error{p, fmt.Errorf("smtp: %w", p), errors.Join(errors.New("x"), p)} {
		if !contract.IsPermanent(err) {
			t.Errorf("%v is not permanent", err)
		}
	}
	for _, err := range []error{nil, plain, fmt.Errorf("smtp: %w", plain)} {
		if contract.IsPermanent(err) {
			t.Errorf("%v is permanent", err)
		}
	}
}
