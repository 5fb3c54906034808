package password

import "io"

type multiHasher struct {
	make  Hasher
	reads []Hasher
}

// Multi makes hashes with the given hasher and verifies its own, scrypt, argon2id and
// bcrypt by the form of the hash. A hash needs a rehash when its form or parameters are
// not those of new ones.
func Multi(make Hasher) Hasher {
	return multiHasher{make, []Hasher{make, Scrypt(), Argon2id(Params{}), Bcrypt()}}
}

func (h multiHasher) Hash(rand io.Reader, password string) (string, error) {
	return h.make.Hash(rand, password)
}

func (h multiHasher) Verify(hash, password string) (ok, known bool) {
	for _, r := range h.reads {
		if ok, known = r.Verify(hash, password); known {
			return ok, true
		}
	}
	return false, false
}

func (h multiHasher) NeedsRehash(hash string) bool { return h.make.NeedsRehash(hash) }

func (h multiHasher) memory() int64 {
	var most int64
	for _, r := range h.reads {
		most = max(most, memoryOf(r))
	}
	return most
}

func (h multiHasher) dummy(rand io.Reader) (string, error) { return dummyOf(h.make, rand) }
