package conversation_test

import (
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
		if name := f.GetName(); name == "weftline_projection_behind_seconds" || name == "weftline_projection_failing" {
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
	want := map[string]int{
		"weftline_projection_behind_seconds readmodel": 4, "weftline_projection_behind_seconds resolve": 4, "weftline_projection_failing readmodel": 4, "weftline_projection_failing resolve": 4,
		"weftline_projection_behind_seconds feed": 4, "weftline_projection_failing feed": 4,
		"weftline_projection_behind_seconds policy": 4, "weftline_projection_failing policy": 4,
		"weftline_projection_behind_seconds erasure": 4, "weftline_projection_failing erasure": 4,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}
