package inbox

import "time"

// How long what an inbox fetches from may be gone before somebody should look:
// at the distances that tries have, a person hears of it after about two minutes.
const (
	outageAfter = 90 * time.Second
	freshTries  = 3 // of an inbox that never worked
)

// Outage counts tries that fail one after the other, and says when they are more
// than a short interruption. The zero value is of an inbox that has worked. Not
// safe for concurrent use.
type Outage struct {
	// Fresh: it never worked with these settings, so they are likely wrong.
	Fresh bool
	// After is how long an interruption may last; zero: 90 seconds.
	After time.Duration

	since time.Time // the first of these tries; zero: it works
	tries int
}

// Failed notes a try that failed; true: the inbox needs attention.
func (o *Outage) Failed(now time.Time) bool {
	if o.since.IsZero() {
		o.since = now
	}
	o.tries++
	after := o.After
	if after <= 0 {
		after = outageAfter
	}
	return now.Sub(o.since) >= after || o.Fresh && o.tries >= freshTries
}

// Well notes that it works.
func (o *Outage) Well() { o.Fresh, o.since, o.tries = false, time.Time{}, 0 }
