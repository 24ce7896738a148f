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
// since the start and what of them it holds.
func (b *bench) profile(ctx context.Context, c *child, name string, d time.Duration) error {
	if b.Profile == "" {
		return nil
	}
	for _, p := range [][2]string{{"cpu", fmt.Sprintf("profile?seconds=%d", max(1, int(d/time.Second)))}, {"allocs", "allocs"}, {"heap", "heap"}} {
		body, err := c.operator(ctx, "/debug/pprof/"+p[1])
		if err == nil {
			err = os.WriteFile(filepath.Join(b.Profile, name+"."+p[0]+".pprof"), body, 0o600)
		}
		if err != nil {
			return fmt.Errorf("profile the hub: %w", err)
		}
	}
	return nil
}

// operator asks the hub over the operator's socket.
func (c *child) operator(ctx context.Context, path string) ([]byte, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(c.data, "hub.sock"))
	}}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://hub"+path, nil)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", res.Status)
	}
	return body, err
}
