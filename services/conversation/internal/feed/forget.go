package feed

import "slices"

// Forget drops what was opened of the streams: their keys were destroyed. Who
// comes to these commits again is shown what is left of them.
func (f *Feed) Forget(streams ...string) {
	f.mu.Lock()
	var found []*item
	for _, it := range f.window {
		if slices.Contains(streams, it.commit.Stream) {
			found = append(found, it)
		}
	}
	f.mu.Unlock()
	for _, it := range found {
		it.mu.Lock()
		it.events, it.built = nil, false
		it.mu.Unlock()
	}
	for i := range f.kept {
		f.kept[i].mu.Lock()
		f.kept[i].forget()
		f.kept[i].mu.Unlock()
	}
}
