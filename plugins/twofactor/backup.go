package twofactor

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"

	"github.com/sallyport-auth/sallyport/core"
)

// dashAfter is where the codes of Better Auth have their dash.
const dashAfter = 5

// newBackupCodes makes codes and the text that is stored of them.
func (p *Plugin) newBackupCodes() (list []string, stored string, err error) {
	o := p.o.BackupCodes
	for range o.Amount {
		s, err := p.host.RandomString(core.Alphanumeric, o.Length)
		if err != nil {
			return nil, "", err
		}
		list = append(list, s[:dashAfter]+"-"+s[dashAfter:])
	}
	stored, err = p.storeBackupCodes(list)
	return list, stored, err
}

func (p *Plugin) storeBackupCodes(list []string) (string, error) {
	if list == nil {
		list = []string{} // the last one was used: an empty list, not null
	}
	raw, err := json.Marshal(list)
	if err != nil || p.o.BackupCodes.Store == "plain" {
		return string(raw), err
	}
	return p.host.Encrypt(raw)
}

func (p *Plugin) readBackupCodes(stored string) ([]string, error) {
	raw := []byte(stored)
	if p.o.BackupCodes.Store != "plain" {
		var err error
		if raw, err = p.host.Decrypt(stored); err != nil {
			return nil, fmt.Errorf("twofactor: backup codes: %w", err)
		}
	}
	return parseBackupCodes(raw)
}

func parseBackupCodes(raw []byte) ([]string, error) {
	var list []string
	if json.Unmarshal(raw, &list) != nil { // its text would hold codes
		return nil, fmt.Errorf("twofactor: backup codes: %d bytes are no list", len(raw))
	}
	return list, nil
}

// withoutCode takes a code out of a list. All are compared, in constant time.
func withoutCode(list []string, code string) (rest []string, found bool) {
	for _, c := range list {
		if c != "" && subtle.ConstantTimeCompare([]byte(c), []byte(code)) == 1 {
			found = true
			continue
		}
		rest = append(rest, c)
	}
	return rest, found
}
