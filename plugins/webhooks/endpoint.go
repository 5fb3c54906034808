package webhooks

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
)

// endpoint is a receiver that was checked.
type endpoint struct {
	name  string // for logs and errors: the URL may hold a secret
	url   string
	host  string
	keys  [][]byte
	types map[string]bool
	calm  calm
}

func newEndpoint(o Endpoint, g guard, allowHTTP bool) (*endpoint, []error) {
	e := &endpoint{url: o.URL}
	var faults []error
	u, err := url.Parse(o.URL)
	if err == nil {
		e.host = u.Host
		err = checkURL(u, g, allowHTTP)
	} else {
		err = errors.New("it is no URL") // without the text, which may hold a secret
	}
	if err != nil {
		faults = append(faults, fmt.Errorf("url: %w", err))
	}
	if e.keys, err = readSecrets(o.Secret, o.SecretFile); err != nil {
		faults = append(faults, err)
	}
	if e.types, err = matchTypes(o.Events); err != nil {
		faults = append(faults, fmt.Errorf("events: %w", err))
	}
	return e, faults
}

// checkURL says what is wrong with a URL before anybody looks its name up. What the name
// resolves to is checked at each connection.
func checkURL(u *url.URL, g guard, allowHTTP bool) error {
	host := u.Hostname()
	addr, isAddr := literal(host)
	loopback := host == "localhost" || isAddr && addr.Unmap().IsLoopback()
	switch {
	case u.Scheme != "https" && u.Scheme != "http" || host == "":
		return errors.New("want https://host/path")
	case u.User != nil:
		return errors.New("a name and password in it are not sent: the signature says who sends")
	case u.Fragment != "":
		return errors.New("a fragment (#) is not sent")
	case u.Scheme == "http" && !loopback && !allowHTTP:
		return errors.New("what is sent would be readable on the way: want https, or set allowHttp")
	case isAddr && !g.allows(addr):
		return fmt.Errorf("%s is no public address: if the receiver is there, add its network to allowNetworks", addr)
	case host == "localhost" && !g.allows(netip.AddrFrom4([4]byte{127, 0, 0, 1})) && !g.allows(netip.IPv6Loopback()):
		return errors.New("localhost is no public address: if the receiver is there, add 127.0.0.0/8 to allowNetworks")
	}
	return nil
}

func literal(host string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(host)
	return addr, err == nil
}

const (
	secretPrefix = "whsec_"
	minSecret    = 24 // bytes; Standard Webhooks, "Signature scheme"
	maxSecret    = 64
	maxSecrets   = 5 // of one endpoint: each adds 48 bytes to a header
)

// readSecrets reads the keys of an endpoint. No error holds any part of one.
func readSecrets(text, file string) ([][]byte, error) {
	option := "secret"
	if file != "" {
		option = "secretFile"
		raw, err := os.ReadFile(file)
		switch {
		case err != nil:
			return nil, fmt.Errorf("secretFile: %w", err)
		case text != "":
			return nil, errors.New("secretFile: give it or secret")
		}
		text = string(raw)
	}
	var keys [][]byte
	for n, word := range strings.Fields(text) {
		key, err := parseSecret(word)
		if err != nil {
			return nil, fmt.Errorf("%s: number %d: %w", option, n+1, err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 || len(keys) > maxSecrets {
		return nil, fmt.Errorf("%s: want 1 to %d, as echo whsec_$(openssl rand -base64 32) prints", option, maxSecrets)
	}
	return keys, nil
}

func parseSecret(word string) ([]byte, error) {
	text, ok := strings.CutPrefix(word, secretPrefix)
	if !ok {
		return nil, errors.New("want whsec_ in front of it")
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("what follows whsec_ is no base64")
	}
	if len(key) < minSecret || len(key) > maxSecret {
		return nil, fmt.Errorf("%d bytes: want %d to %d", len(key), minSecret, maxSecret)
	}
	distinct := slices.Clone(key)
	slices.Sort(distinct)
	if len(slices.Compact(distinct)) < 12 { // of 24 random bytes, with a probability below 1e-11
		return nil, errors.New("too little variety to have been drawn at random")
	}
	return key, nil
}

// matchTypes reads patterns of events: a type, or a beginning of some that ends in ".*",
// or "*". One that matches nothing is a mistake.
func matchTypes(patterns []string) (map[string]bool, error) {
	out := map[string]bool{}
	if len(patterns) == 0 {
		patterns = []string{"*"}
	}
	for _, pattern := range patterns {
		found := false
		for _, typ := range Types() {
			prefix, wild := strings.CutSuffix(pattern, "*")
			if typ == pattern || wild && (prefix == "" || strings.HasSuffix(prefix, ".") && strings.HasPrefix(typ, prefix)) {
				out[typ], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("%q is no type of event and no beginning of one: there are %s", pattern, strings.Join(Types(), ", "))
		}
	}
	return out, nil
}
