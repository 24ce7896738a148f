package channeltest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Column is an adapter's column of the matrix, as it is written to WEFTLINE_MATRIX.
type Column struct {
	Name        string            `json:"name"`
	Counterpart string            `json:"counterpart"`
	Results     map[string]string `json:"results"` // by check: ✓, ✗, –
	Without     map[string]string `json:"without,omitempty"`
}

type column struct {
	mu sync.Mutex
	Column
}

// matrix writes the adapter's column when t and all its checks are done.
func matrix(t *testing.T, h Harness) *column {
	c := &column{Column: Column{Name: h.Name, Counterpart: h.Counterpart, Results: map[string]string{}, Without: map[string]string{}}}
	dir := os.Getenv("WEFTLINE_MATRIX")
	t.Cleanup(func() {
		if dir == "" {
			return
		}
		b, err := json.MarshalIndent(c.Column, "", "\t")
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, c.Name+".json"), append(b, '\n'), 0o644)
		}
		if err != nil {
			t.Errorf("write the matrix: %v", err)
		}
	})
	return c
}

func (c *column) note(check, result, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Results[check] = result
	if why != "" {
		c.Without[check] = why
	}
}
