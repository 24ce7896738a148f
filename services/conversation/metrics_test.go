package conversation_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Operators see each follower of the log in each partition.
func TestFollowersAreInTheMetrics(t *testing.T) {
	t.Parallel()
	r := start(t)
	families, err := r.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{} // partitions by metric and sink
	for _, f := range families {
		if name := f.GetName(); strings.HasPrefix(name, "weftline_projection_") {
			for _, m := range f.GetMetric() {
				for _, l := range m.GetLabel() {
					if l.GetName() == "sink" {
						got[name+" "+l.GetValue()]++
					}
				}
				if v := m.GetGauge().GetValue(); v != 0 {
					t.Errorf("%s is %v on an empty log", name, v)
				}
			}
		}
	}
	want := map[string]int{}
	for _, sink := range []string{"readmodel", "resolve", "feed", "policy", "erasure"} {
		for _, name := range []string{"behind_seconds", "behind_commits", "failing"} {
			want["weftline_projection_"+name+" "+sink] = 4
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}
