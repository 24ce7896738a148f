package customer

import "slices"

// Window remembers the last ids: at least Bounds.Seen (or Bounds.Commands) of them. Floor is the sequence
// of the newest commit whose ids may have been forgotten; 0 means that nothing
// ever was, so that absence is certain.
//
// Two generations: ids go into New; a full New becomes Old, and the former Old
// is forgotten as a whole.
type Window struct {
	Old   []string `json:"old,omitempty"`
	New   []string `json:"new,omitempty"`
	OldTo uint64   `json:"old_to,omitempty"` // sequence of Old's last id
	Floor uint64   `json:"floor,omitempty"`
}

// Has says whether id is remembered.
func (w Window) Has(id string) bool {
	return slices.Contains(w.New, id) || slices.Contains(w.Old, id)
}

// with returns the window after id came with the commit seq.
func (w Window) with(id string, seq uint64, generation int) Window {
	if len(w.New) >= generation {
		w.Floor = w.OldTo
		w.Old, w.OldTo = w.New, seq-1
		w.New = nil
	}
	w.New = append(slices.Clip(w.New), id)
	return w
}
