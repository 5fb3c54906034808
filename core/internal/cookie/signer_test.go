package cookie

// What tests call with keys at hand.

func Sign(key []byte, plain string) string { return NewSigner([][]byte{key}).Sign(plain) }

func Verify(keys [][]byte, raw string) (plain string, key int, ok bool) {
	return NewSigner(keys).Verify(raw)
}

func EncodeCompact(key []byte, p CachePayload) string {
	return NewSigner([][]byte{key}).EncodeCompact(p)
}

func DecodeCompact(keys [][]byte, raw string) (CachePayload, bool) {
	return NewSigner(keys).DecodeCompact(raw)
}
