package inbox_test

import (
	"testing"
	"time"

	"github.com/weftline/weftline/services/internal/inbox"
)

// TestOutageIsTold: a short interruption of what worked is none, a longer one is; what never worked is told after three tries.
func TestOutageIsTold(t *testing.T) {
	t.Parallel()
	at := func(seconds int) time.Time { return time.Unix(int64(1000+seconds), 0) }
	for name, one := range map[string]struct {
		outage inbox.Outage
		tries  []int // seconds; negative: it works then
		want   string
	}{
		"worked, short":           {inbox.Outage{}, []int{0, 1, 3, 7, 15, 31, 63}, "......."},
		"worked, long":            {inbox.Outage{}, []int{0, 31, 63, 127, 255}, "...!!"},
		"worked, well in between": {inbox.Outage{}, []int{0, 63, -64, 100, 150, 191}, "....!"},
		"never worked":            {inbox.Outage{Fresh: true}, []int{0, 1, 2, 4}, "..!!"},
		"worked at last":          {inbox.Outage{Fresh: true}, []int{0, 1, -2, 3, 4, 5, 6}, "......"},
		"another patience":        {inbox.Outage{After: time.Hour}, []int{0, 3599, 3600}, "..!"},
	} {
		got := ""
		for _, s := range one.tries {
			switch {
			case s < 0:
				one.outage.Well()
			case one.outage.Failed(at(s)):
				got += "!"
			default:
				got += "."
			}
		}
		if got != one.want {
			t.Errorf("%s: %s, want %s", name, got, one.want)
		}
	}
}
