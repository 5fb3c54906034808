package passkey

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func load(t testing.TB, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestVectors verifies what Better Auth's own server and an authenticator exchanged.
func TestVectors(t *testing.T) {
	type ceremony struct {
		Challenge string
		Response  json.RawMessage
	}
	var vectors []struct {
		RPID         string `json:"rp_id"`
		Origin       string
		Registration ceremony
		Row          map[string]any
		Assertion    ceremony
		After        struct{ Counter int } `json:"row_after"`
	}
	load(t, "passkey.json", &vectors)
	for _, x := range vectors {
		v := verifier{rpID: x.RPID, allowed: func(o string) bool { return o == x.Origin }}
		r, err := v.register(x.Registration.Response, expectation{x.Registration.Challenge, true})
		if err != nil {
			t.Fatal(err)
		}
		row := Passkey{PublicKey: r.publicKey, CredentialID: r.id, Counter: r.counter, DeviceType: r.deviceType, BackedUp: r.backedUp,
			Transports: &r.transports, AAGUID: &r.aaguid}
		var got map[string]any
		if err := json.Unmarshal(raw(row.answer()), &got); err != nil {
			t.Fatal(err)
		}
		for _, member := range []string{"publicKey", "credentialID", "counter", "deviceType", "backedUp", "transports", "aaguid"} {
			if got[member] != x.Row[member] {
				t.Errorf("%s is %v, want %v", member, got[member], x.Row[member])
			}
		}
		a, err := v.authenticate(x.Assertion.Response, &row, expectation{x.Assertion.Challenge, true})
		if err != nil || a.counter != x.After.Counter || !a.verified || !grows(row.Counter, a.counter) {
			t.Errorf("%+v, %v", a, err)
		}
	}
}

// TestChallengeRows compares what we store with Better Auth's rows.
func TestChallengeRows(t *testing.T) {
	var vectors []struct {
		Row     struct{ Identifier, Value string }
		Options json.RawMessage
	}
	load(t, "passkey_challenge_row.json", &vectors)
	for i, kind := range []string{"registration", "authentication"} {
		ch, ok := parseChallenge(vectors[i].Row.Value, kind)
		if !ok {
			t.Fatalf("%s is not read", vectors[i].Row.Value)
		}
		if got, err := ch.encode(); err != nil || got != vectors[i].Row.Value {
			t.Errorf("%s, want %s: %v", got, vectors[i].Row.Value, err)
		}
		if _, ok := parseChallenge(vectors[1-i].Row.Value, kind); ok {
			t.Errorf("a challenge of the other ceremony passes for %s", kind)
		}
	}
	for _, other := range []string{"", "null", "[]", `"x"`, "kTn3ZQ2h1m4vYb7cXw9sLp6dFg8jHr5e", `{"type":"registration"}`, `{"type":"magic-link","email":"a@b.co"}`} {
		if _, ok := parseChallenge(other, "registration"); ok {
			t.Errorf("%s passes for a challenge", other)
		}
	}
	var got, want map[string]any
	options, err := json.Marshal(RequestOptions{RPID: "localhost", Challenge: "c", Timeout: timeout, UserVerification: "preferred"})
	if err != nil || json.Unmarshal(options, &got) != nil || json.Unmarshal(vectors[1].Options, &want) != nil || len(got) != len(want) {
		t.Errorf("options %s, want %s", options, vectors[1].Options)
	}
}

const (
	chal  = "dzmkLA_P8v0_I1sYlWUBz4Gn-BdrVsFYcUNXGs3ECHM"
	chal2 = "Q7zoNj3UTcYXbt88PRd6Y8r7oQ0-KuzF9LdQ33-1PbQ"
)

func testVerifier() *verifier {
	return &verifier{rpID: "auth.example.com", allowed: func(o string) bool { return o == "https://auth.example.com" || o == "android:apk-key-hash:abc" }}
}

func raw(v any) []byte { return must(json.Marshal(v)) }

// inner changes a member of the response.
func inner(o object, name string, v any) object {
	r := object{}
	for k, x := range o["response"].(object) {
		r[k] = x
	}
	if r[name] = v; v == nil {
		delete(r, name)
	}
	return with(o, "response", r)
}

func with(o object, name string, v any) object {
	out := object{}
	for k, x := range o {
		out[k] = x
	}
	if out[name] = v; v == nil {
		delete(out, name)
	}
	return out
}

func TestRegister(t *testing.T) {
	for _, alg := range []int{-7, -8, -257} {
		k := newKey(alg)
		r, err := testVerifier().register(raw(k.register(chal)), expectation{chal, true})
		if err != nil || r.id != b64(k.id) || r.deviceType != "multiDevice" || !r.backedUp || r.transports != "internal,hybrid" {
			t.Errorf("algorithm %d: %+v, %v", alg, r, err)
		}
	}
	k := newKey(-7)
	k.flags, k.origin, k.counter = up, "android:apk-key-hash:abc", 1<<31-1
	if r, err := testVerifier().register(raw(k.register(chal)), expectation{chal, false}); err != nil || r.deviceType != "singleDevice" || r.backedUp || r.verified {
		t.Errorf("%+v, %v", r, err)
	}
	k.format = "packed"
	v := testVerifier()
	v.attested = true
	if _, err := v.register(raw(k.register(chal)), expectation{chal, false}); err != nil {
		t.Errorf("a self attestation: %v", err)
	}
}

// TestRegisterRefuses bends one thing at a time.
func TestRegisterRefuses(t *testing.T) {
	bend := func(f func(*key)) func() object {
		return func() object {
			k := newKey(-7)
			f(k)
			return k.register(chal)
		}
	}
	answer := func(f func(object) object) func() object {
		return func() object { return f(newKey(-7).register(chal)) }
	}
	for name, x := range map[string]struct {
		response func() object
		want     string
		uv       bool
		attested bool
	}{
		"another origin":                      {response: bend(func(k *key) { k.origin = "https://evil.example" }), want: "origin"},
		"http instead of https":               {response: bend(func(k *key) { k.origin = "http://auth.example.com" }), want: "origin"},
		"another port":                        {response: bend(func(k *key) { k.origin = "https://auth.example.com:8443" }), want: "origin"},
		"a sub-domain":                        {response: bend(func(k *key) { k.origin = "https://x.auth.example.com" }), want: "origin"},
		"a path behind the origin":            {response: bend(func(k *key) { k.origin = "https://auth.example.com/" }), want: "origin"},
		"capitals in the origin":              {response: bend(func(k *key) { k.origin = "https://AUTH.example.com" }), want: "origin"},
		"credentials in the origin":           {response: bend(func(k *key) { k.origin = "https://auth.example.com@evil.example" }), want: "origin"},
		"no origin":                           {response: bend(func(k *key) { k.origin = "" }), want: "origin"},
		"another RP":                          {response: bend(func(k *key) { k.rpID = "example.com" })},
		"a frame of another site":             {response: bend(func(k *key) { k.cross = true }), want: "cross origin"},
		"no user present":                     {response: bend(func(k *key) { k.flags = uv })},
		"no user verified":                    {response: bend(func(k *key) { k.flags = up }), uv: true},
		"backed up but not eligible":          {response: bend(func(k *key) { k.flags = up | bs }), want: "backed up"},
		"a counter beyond the column":         {response: bend(func(k *key) { k.counter = 1 << 31 }), want: "counter"},
		"ES384":                               {response: func() object { return newKey(-35).register(chal) }, want: "ttestation"},
		"a P-256 key that says RS256":         {response: bend(func(k *key) { k.cose[3] = -257 }), want: "public key"},
		"a P-256 key that says EdDSA":         {response: bend(func(k *key) { k.cose[3] = -8 }), want: "public key"},
		"a point that is not on P-256":        {response: bend(func(k *key) { k.cose[-2] = make([]byte, 32) }), want: "public key"},
		"a key without algorithm":             {response: bend(func(k *key) { delete(k.cose, 3) })},
		"an unknown format":                   {response: bend(func(k *key) { k.format = "sallyport" }), want: "ttestation"},
		"a packed attestation by another key": {response: bend(func(k *key) { k.format = "packed"; k.private = newKey(-7).private }), want: "ttestation"},
		"none with a statement":               {response: bend(func(k *key) { k.statement = object{"x": 1} }), want: "ttestation"},
		"none where one is required":          {response: bend(func(*key) {}), attested: true, want: "required"},
		"another challenge":                   {response: func() object { return newKey(-7).register(chal2) }, want: "challenge"},
		"an assertion":                        {response: func() object { return newKey(-7).assert(chal) }},
		"an id that is not the key's":         {response: answer(func(o object) object { o = with(o, "id", "AAAA"); return with(o, "rawId", "AAAA") })},
		"an id that is not the rawId":         {response: answer(func(o object) object { return with(o, "id", "AAAA") })},
		"another type":                        {response: answer(func(o object) object { return with(o, "type", "password") })},
		"no response":                         {response: answer(func(o object) object { return with(o, "response", nil) })},
		"no attestation":                      {response: answer(func(o object) object { return inner(o, "attestationObject", nil) })},
		"no client data":                      {response: answer(func(o object) object { return inner(o, "clientDataJSON", nil) })},
		"client data that is no JSON":         {response: answer(func(o object) object { return inner(o, "clientDataJSON", "AAAA") })},
		"an attestation that is no map":       {response: answer(func(o object) object { return inner(o, "attestationObject", "AAAA") })},
	} {
		v := testVerifier()
		v.attested = x.attested
		_, err := v.register(raw(x.response()), expectation{chal, x.uv})
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", name, err, x.want)
		}
	}
	for _, body := range []string{"", "null", "[]", `"x"`, "{}", "{} {}"} {
		if _, err := testVerifier().register([]byte(body), expectation{chal, false}); err == nil {
			t.Errorf("%q passes", body)
		}
	}
}

func TestAuthenticate(t *testing.T) {
	for _, alg := range []int{-7, -8, -257} {
		k, row := enrolled(t, alg)
		k.counter = 7
		if a, err := testVerifier().authenticate(raw(k.assert(chal2)), row, expectation{chal2, true}); err != nil || a.counter != 7 || !a.verified {
			t.Errorf("algorithm %d: %+v, %v", alg, a, err)
		}
	}
}

func enrolled(t testing.TB, alg int) (*key, *Passkey) {
	t.Helper()
	k := newKey(alg)
	r, err := testVerifier().register(raw(k.register(chal)), expectation{chal, true})
	if err != nil {
		t.Fatal(err)
	}
	return k, &Passkey{CredentialID: r.id, PublicKey: r.publicKey, Counter: r.counter}
}

func TestAuthenticateRefuses(t *testing.T) {
	k, row := enrolled(t, -7)
	bend := func(f func(*key)) object {
		c := *k
		f(&c)
		return c.assert(chal2)
	}
	good := func() object { return k.assert(chal2) }
	sig := good()["response"].(object)["signature"].(string)
	for name, x := range map[string]struct {
		response object
		want     string
		uv       bool
	}{
		"another origin":             {response: bend(func(k *key) { k.origin = "https://evil.example" }), want: "origin"},
		"http instead of https":      {response: bend(func(k *key) { k.origin = "http://auth.example.com" }), want: "origin"},
		"another port":               {response: bend(func(k *key) { k.origin = "https://auth.example.com:8443" }), want: "origin"},
		"the default port":           {response: bend(func(k *key) { k.origin = "https://auth.example.com:443" }), want: "origin"},
		"another RP":                 {response: bend(func(k *key) { k.rpID = "example.com" })},
		"a frame of another site":    {response: bend(func(k *key) { k.cross = true }), want: "cross origin"},
		"no user present":            {response: bend(func(k *key) { k.flags = uv | be })},
		"no user verified":           {response: bend(func(k *key) { k.flags = up | be }), uv: true},
		"backed up but not eligible": {response: bend(func(k *key) { k.flags = up | bs }), want: "backed up"},
		"a counter too large":        {response: bend(func(k *key) { k.counter = 1 << 31 }), want: "counter"},
		"another private key":        {response: bend(func(k *key) { k.private = newKey(-7).private }), want: errSignature.Error()},
		"another challenge":          {response: k.assert(chal), want: "challenge"},
		"a registration":             {response: k.register(chal2)},
		"another credential":         {response: bend(func(k *key) { k.id = make([]byte, 32) }), want: "another one"},
		"a signature of other data":  {response: inner(good(), "signature", b64(k.sign([]byte("x")))), want: errSignature.Error()},
		"no signature":               {response: inner(good(), "signature", nil), want: errNoSignature.Error()},
		"a signature cut short":      {response: inner(good(), "signature", sig[:len(sig)-4]), want: errNoSignature.Error()},
		"a signature with a tail":    {response: inner(good(), "signature", sig+"AAAA"), want: errSignature.Error()},
		"a signature of zeros":       {response: inner(good(), "signature", "AAAA"), want: errNoSignature.Error()},
		"a signature too large":      {response: inner(good(), "signature", b64(append([]byte{0x30, 0x26, 2, 0x21}, append(bytes.Repeat([]byte{1}, 33), 2, 1, 1)...))), want: errNoSignature.Error()},
		"no authenticator data":      {response: inner(good(), "authenticatorData", nil)},
		"another type":               {response: with(good(), "type", "password")},
		"a method by name":           {response: object{"id": row.CredentialID, "rawId": row.CredentialID, "type": "public-key", "amr": []string{"hwk"}, "verified": true}},
	} {
		_, err := testVerifier().authenticate(raw(x.response), row, expectation{chal2, x.uv})
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", name, err, x.want)
		}
	}
	broken := *row
	broken.PublicKey = "!"
	if _, err := testVerifier().authenticate(raw(good()), &broken, expectation{chal2, false}); err == nil {
		t.Error("a key that is no base64 passes")
	}
}

func TestGrows(t *testing.T) {
	for _, x := range []struct {
		stored, sent int
		want         bool
	}{{0, 0, true}, {0, 1, true}, {1, 2, true}, {1, 1, false}, {2, 1, false}, {1, 0, false}} {
		if got := grows(x.stored, x.sent); got != x.want {
			t.Errorf("%d behind %d: %v", x.sent, x.stored, got)
		}
	}
}

func TestTransports(t *testing.T) {
	for _, x := range []struct {
		in   []string
		want string
	}{{nil, ""}, {[]string{"usb", "nfc"}, "usb,nfc"}, {[]string{"USB", "a,b", "", "smart-card", "x\ny"}, "smart-card"},
		{strings.Split("a b c d e f g h i j", " "), "a,b,c,d,e,f,g,h"}} {
		if got := transports(x.in); got != x.want {
			t.Errorf("%q: %q, want %q", x.in, got, x.want)
		}
	}
}

func TestReasonHoldsNoValue(t *testing.T) {
	k := newKey(-7)
	k.origin = "https://evil.example/\n{\"level\":\"ERROR\"}"
	_, err := testVerifier().register(raw(k.register(chal2)), expectation{chal2, false})
	if err == nil || strings.Contains(err.Error(), "evil") || strings.Contains(err.Error(), chal2) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}
