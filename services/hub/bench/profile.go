package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// profile reads a CPU profile of the hub for a while, then its allocations
// since the start and what of them it holds, over the operator's socket.
func (b *bench) profile(ctx context.Context, c *child, name string, d time.Duration) error {
	if b.Profile == "" {
		return nil
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(c.data, "hub.sock"))
	}}}
	for _, p := range [][2]string{{"cpu", fmt.Sprintf("profile?seconds=%d", max(1, int(d/time.Second)))}, {"allocs", "allocs"}, {"heap", "heap"}} {
		kind, path := p[0], p[1]
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://hub/debug/pprof/"+path, nil)
		if err != nil {
			return err
		}
		res, err := client.Do(req)
		if err != nil {
			return fmt.Errorf("profile the hub: %w", err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err == nil && res.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s", res.Status)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(b.Profile, name+"."+kind+".pprof"), body, 0o600)
		}
		if err != nil {
			return fmt.Errorf("profile the hub: %w", err)
		}
	}
	return nil
}
