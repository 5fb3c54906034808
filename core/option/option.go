// Package option holds rules that options of plugins and adapters have in common.
package option

import (
	"fmt"
	"net"
	"os"
	"strings"
)

// Loopback tells whether a host, without port and brackets, is this machine: what goes there in
// the open is read by nobody on the way. It is "localhost" (RFC 6761 section 6.3) or a loopback
// address; no name is looked up.
func Loopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}

// Secret is the option name, or what the file of the option nameFile holds, without the space
// around it. Both of them, and a file that cannot be read or is empty, are an error that
// begins with the option's name and holds nothing of the secret.
func Secret(name, text, file string) (string, error) {
	if file == "" {
		return text, nil
	}
	if text != "" {
		return "", fmt.Errorf("%s and %sFile: give one of them", name, name)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%sFile: %w", name, err)
	}
	if text = strings.TrimSpace(string(raw)); text == "" {
		return "", fmt.Errorf("%sFile: %s is empty", name, file)
	}
	return text, nil
}
