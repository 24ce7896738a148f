package bench

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"
)

// Memory is measured only when the server says that all are in IDLE.
func TestPostOfficeKnowsWhoIsInIDLE(t *testing.T) {
	t.Parallel()
	p, err := openPostOffice(filepath.Join(t.TempDir(), "roots.pem"), 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	pem, err := os.ReadFile(p.roots)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	c, err := imapclient.DialTLS(p.l.Addr().String(), &imapclient.Options{TLSConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(userName(1), postOfficePassword).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if p.waitIdle(ended, 1) == nil || p.allIdle(1) == nil {
		t.Error("a connection that does not wait counts as waiting")
	}
	idle, err := c.Idle()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.waitIdle(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := p.allIdle(1); err != nil {
		t.Error(err)
	}
	if p.allIdle(2) == nil {
		t.Error("one of two counts as both")
	}
	if err := idle.Close(); err != nil {
		t.Fatal(err)
	}
	if err := idle.Wait(); err != nil {
		t.Fatal(err)
	}
	if p.allIdle(1) == nil {
		t.Error("who has ended his IDLE counts as waiting")
	}
}
