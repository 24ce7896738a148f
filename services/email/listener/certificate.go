package listener

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate is read from files, and again when they change: certificates are
// renewed every few weeks and nobody restarts a hub for that.
type certificate struct {
	cert, key string
	log       *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	stamp  [2]time.Time
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stamp := [2]time.Time{changed(c.cert), changed(c.key)}
	if c.loaded != nil && stamp == c.stamp {
		return c.loaded, nil
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		if c.loaded == nil {
			return nil, fmt.Errorf("cert: read certificate and key: %w", err)
		}
		c.stamp = stamp // the old one goes on; said once per change
		c.log.Error("the listener's new certificate cannot be read", "error", err)
		return c.loaded, nil
	}
	c.loaded, c.stamp = &pair, stamp
	return c.loaded, nil
}

func changed(path string) time.Time {
	fi, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return fi.ModTime()
}
