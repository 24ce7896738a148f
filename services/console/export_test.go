package console

import (
	"net/http"
	"testing"
	"time"
)

// Under the race detector one password takes seconds at its real cost, and
// these tests are about everything else.
var realCost = cost

func init() { cost.passes, cost.kib = 1, 1<<10 }

func TestAPasswordCostsWhatRFC9106Asks(t *testing.T) {
	t.Parallel()
	if realCost.passes != 3 || realCost.kib != 64<<10 || realCost.threads < 1 {
		t.Fatalf("%+v: want 3 passes over 64 MiB", realCost)
	}
}

// AllowPicturesFrom lets tests fetch from this machine.
func (c *Console) AllowPicturesFrom(client *http.Client) { c.pictures = client }

// CrowdTheGate fills the places where logins wait for their password to be checked.
func (c *Console) CrowdTheGate() {
	for range cap(c.gate.waiting) {
		c.gate.waiting <- struct{}{}
	}
}

// RecheckEvery lets tests not wait a minute; call it before sockets are opened.
func (c *Console) RecheckEvery(d time.Duration) { c.recheck = d }
