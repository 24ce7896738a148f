package hubtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
)

// Zone is a DNS of TXT records, by name. Everything else is not found.
type Zone map[string][]string

// ReadZone reads a zone that Write wrote.
func ReadZone(path string) (Zone, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read zone: %w", err)
	}
	var z Zone
	if err := json.Unmarshal(b, &z); err != nil {
		return nil, fmt.Errorf("read zone: %w", err)
	}
	return z, nil
}

// Write writes the zone to a file, for a hub in another process.
func (z Zone) Write(path string) error {
	b, err := json.Marshal(z)
	if err != nil {
		return fmt.Errorf("write zone: %w", err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return fmt.Errorf("write zone: %w", err)
	}
	return nil
}

// LookupTXT returns the records of a name.
func (z Zone) LookupTXT(_ context.Context, name string) ([]string, error) {
	if txt := z[strings.TrimSuffix(name, ".")]; txt != nil {
		return txt, nil
	}
	return nil, notFound(name)
}

// LookupMX finds nothing.
func (z Zone) LookupMX(_ context.Context, name string) ([]*net.MX, error) { return nil, notFound(name) }

// LookupIPAddr finds nothing.
func (z Zone) LookupIPAddr(_ context.Context, name string) ([]net.IPAddr, error) {
	return nil, notFound(name)
}

// LookupAddr finds nothing.
func (z Zone) LookupAddr(_ context.Context, addr string) ([]string, error) {
	return nil, notFound(addr)
}

func notFound(name string) error {
	return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}
