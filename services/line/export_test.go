package line

import "time"

// LookEvery shortens the time between two looks at a webhook. Before Run only.
func (a *Adapter) LookEvery(d time.Duration) { a.look = d }
