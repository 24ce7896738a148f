package console

import "net/http"

// AllowPicturesFrom lets tests fetch from this machine.
func (c *Console) AllowPicturesFrom(client *http.Client) { c.pictures = client }

// CrowdTheGate fills the places where logins wait for their password to be checked.
func (c *Console) CrowdTheGate() {
	for range cap(c.gate.waiting) {
		c.gate.waiting <- struct{}{}
	}
}
