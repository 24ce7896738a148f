package mastodon

import "time"

// LookEvery and QuietFor shorten the adapter's patience. Before Run only.
func (a *Adapter) LookEvery(d time.Duration) { a.look = d }

// QuietFor is how long a stream may say nothing.
func (a *Adapter) QuietFor(d time.Duration) { a.quiet = d }

// Silenced is a text that names nobody.
func Silenced(text string) string { return silenced(text) }
