package storetest_test

import (
	"testing"

	"github.com/sallyport-auth/sallyport/adapters/storetest"
	"github.com/sallyport-auth/sallyport/core/contract"
)

func TestMemorySessions(t *testing.T) {
	storetest.Sessions(t, func(*testing.T) []contract.SessionStore { return []contract.SessionStore{&storetest.MemorySessions{}} })
}
