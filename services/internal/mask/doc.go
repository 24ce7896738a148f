package mask

import (
	"slices"
	"strings"
)

// edit replaces text[start:end].
type edit struct {
	start, end int
	with       string
}

// doc is a text, and where its pieces begin: those of an HTML page.
type doc struct {
	text string
	cuts []int // ascending offsets
}

// apply makes edits that come in order and do not overlap. What replaces
// several pieces stands in the first of them.
func (d *doc) apply(edits []edit) {
	if len(edits) == 0 {
		return
	}
	var b strings.Builder
	b.Grow(len(d.text))
	last, cut := 0, 0
	for _, e := range edits {
		b.WriteString(d.text[last:e.start])
		for ; cut < len(d.cuts) && d.cuts[cut] <= e.start; cut++ {
			d.cuts[cut] += b.Len() - e.start
		}
		b.WriteString(e.with)
		for ; cut < len(d.cuts) && d.cuts[cut] < e.end; cut++ {
			d.cuts[cut] = b.Len()
		}
		last = e.end
	}
	shift := b.Len() - last
	for ; cut < len(d.cuts); cut++ {
		d.cuts[cut] += shift
	}
	b.WriteString(d.text[last:])
	d.text = b.String()
}

// sorted orders edits and drops those that overlap an earlier one.
func sorted(edits []edit) []edit {
	slices.SortStableFunc(edits, func(a, b edit) int { return a.start - b.start })
	out := edits[:0]
	end := 0
	for _, e := range edits {
		if e.start >= end {
			out, end = append(out, e), e.end
		}
	}
	return out
}
