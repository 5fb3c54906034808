package mailtext

import "github.com/sallyport-auth/sallyport/core/contract"

// ErrAddress is [contract.ErrAddress].
var ErrAddress = contract.ErrAddress

// CheckAddress is [contract.CheckAddress].
func CheckAddress(address string) error { return contract.CheckAddress(address) }
