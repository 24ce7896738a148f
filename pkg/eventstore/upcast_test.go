package eventstore_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/weftline/weftline/pkg/eventstore"
)

// Random steps that lead upwards; the model applies them one record and one step at a time.
func TestUpcastersCompose(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const top = 6
		types := []string{"a", "b"}
		var up eventstore.Upcasters
		steps := map[eventstore.Kind][]eventstore.Kind{}
		for _, typ := range types {
			for v := 1; v < top; v++ {
				if !rapid.Bool().Draw(t, fmt.Sprintf("step %s%d", typ, v)) {
					continue
				}
				var next []eventstore.Kind
				for range rapid.IntRange(0, 3).Draw(t, "outputs") {
					next = append(next, eventstore.Kind{
						Type: rapid.SampledFrom(types).Draw(t, "type"), V: rapid.IntRange(v+1, top).Draw(t, "version"),
					})
				}
				steps[eventstore.Kind{Type: typ, V: v}] = next
				up.Add(typ, v, func(r eventstore.Record) ([]eventstore.Record, error) {
					var out []eventstore.Record
					for i, k := range next {
						data := json.RawMessage(fmt.Sprintf("[%s,%d]", r.Data, i))
						out = append(out, eventstore.Record{Type: k.Type, V: k.V, Data: data})
					}
					return out, nil
				})
			}
		}
		var in []eventstore.Record
		for i := range rapid.IntRange(0, 6).Draw(t, "records") {
			in = append(in, eventstore.Record{
				Type: rapid.SampledFrom(types).Draw(t, "type"), V: rapid.IntRange(1, top).Draw(t, "version"),
				Data: json.RawMessage(fmt.Sprint(i)),
			})
		}
		before := slices.Clone(in)
		got, err := up.Apply(in)
		if err != nil {
			t.Fatalf("Apply = %v", err)
		}
		want := slices.Clone(in)
		for i := 0; i < len(want); {
			next, ok := steps[eventstore.Kind{Type: want[i].Type, V: want[i].V}]
			if !ok {
				i++
				continue
			}
			var out []eventstore.Record
			for n, k := range next {
				out = append(out, eventstore.Record{Type: k.Type, V: k.V, Data: json.RawMessage(fmt.Sprintf("[%s,%d]", want[i].Data, n))})
			}
			want = slices.Concat(want[:i], out, want[i+1:])
		}
		if len(want) != len(got) || len(want) > 0 && !cmp.Equal(want, got) {
			t.Fatalf("Apply (-want +got):\n%s", cmp.Diff(want, got))
		}
		if diff := cmp.Diff(before, in); diff != "" {
			t.Fatalf("Apply changed its argument:\n%s", diff)
		}
		again, err := up.Apply(got)
		if err != nil || len(again) != len(got) || len(got) > 0 && !cmp.Equal(got, again) {
			t.Fatalf("applying twice differs: %v\n%s", err, cmp.Diff(got, again))
		}
	})
}

func TestUpcastersEndACircle(t *testing.T) {
	t.Parallel()
	var up eventstore.Upcasters
	up.Add("a", 1, eventstore.Rename("b", 1))
	up.Add("b", 1, eventstore.Rename("a", 1))
	if _, err := up.Apply([]eventstore.Record{{Type: "a", V: 1}}); err == nil {
		t.Error("Apply of circular steps: no error")
	}
	broken := errors.New("broken")
	up = eventstore.Upcasters{}
	up.Add("a", 1, func(eventstore.Record) ([]eventstore.Record, error) { return nil, broken })
	if _, err := up.Apply([]eventstore.Record{{Type: "x", V: 1}, {Type: "a", V: 1}}); !errors.Is(err, broken) {
		t.Errorf("Apply = %v, want the step's error", err)
	}
}

func TestNilUpcastersHaveNoSteps(t *testing.T) {
	t.Parallel()
	in := []eventstore.Record{{Type: "a", V: 1}}
	got, err := (*eventstore.Upcasters)(nil).Apply(in)
	if diff := cmp.Diff(in, got); diff != "" || err != nil {
		t.Errorf("Apply = %v\n%s", err, diff)
	}
}
