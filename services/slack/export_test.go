package slack

import "time"

// LookEvery shortens the time between two looks at a token. Before Run only.
func (a *Adapter) LookEvery(d time.Duration) { a.look = d }
