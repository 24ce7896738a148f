package eventstore

import (
	"encoding/json"
	"fmt"
)

// Upcast turns one stored record into those of a newer form: none drops it,
// several split it. It must not change what it is given.
type Upcast func(Record) ([]Record, error)

// Upcasters are steps from old records to new ones, one per type and version.
// They compose: what a step gives goes through the steps of its own type and
// version, until there is none. Add all before use; then safe for concurrent use.
type Upcasters struct {
	steps map[recordKind]Upcast
}

type recordKind struct {
	typ string
	v   int
}

// maxSteps ends a circle of steps, which is a bug of whoever added them.
const maxSteps = 100

// Add registers the step for records of one type and version. It panics when
// there is one already, as two would be a matter of luck.
func (u *Upcasters) Add(typ string, v int, step Upcast) {
	k := recordKind{typ, v}
	if u.steps[k] != nil {
		panic(fmt.Sprintf("eventstore: two upcasters for %s v%d", typ, v))
	}
	if u.steps == nil {
		u.steps = map[recordKind]Upcast{}
	}
	u.steps[k] = step
}

// Apply brings records up to date, in order. The result is the argument itself
// when nothing is old. A nil Upcasters has no steps.
func (u *Upcasters) Apply(records []Record) ([]Record, error) {
	if u == nil || len(u.steps) == 0 {
		return records, nil
	}
	for i, r := range records {
		if u.steps[recordKind{r.Type, r.V}] == nil {
			continue
		}
		out := append(make([]Record, 0, len(records)+1), records[:i]...)
		for _, r := range records[i:] {
			var err error
			if out, err = u.apply(out, r, 0); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return records, nil
}

func (u *Upcasters) apply(out []Record, r Record, depth int) ([]Record, error) {
	step := u.steps[recordKind{r.Type, r.V}]
	if step == nil {
		return append(out, r), nil
	}
	if depth == maxSteps {
		return nil, fmt.Errorf("upcast %s v%d: more than %d steps, they go in a circle", r.Type, r.V, maxSteps)
	}
	next, err := step(r)
	if err != nil {
		return nil, fmt.Errorf("upcast %s v%d: %w", r.Type, r.V, err)
	}
	for _, n := range next {
		if out, err = u.apply(out, n, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Convert is a step between two Go types: the old form, declared where the
// step is, and the new one.
func Convert[Old, New any](typ string, v int, f func(Old) (New, error)) Upcast {
	return func(r Record) ([]Record, error) {
		var old Old
		if err := json.Unmarshal(r.Data, &old); err != nil {
			return nil, err
		}
		converted, err := f(old)
		if err != nil {
			return nil, err
		}
		data, err := json.Marshal(converted)
		if err != nil {
			return nil, err
		}
		return []Record{{Type: typ, V: v, Data: data}}, nil
	}
}

// Rename is a step that changes type and version only.
func Rename(typ string, v int) Upcast {
	return func(r Record) ([]Record, error) {
		return []Record{{Type: typ, V: v, Data: r.Data}}, nil
	}
}

// Drop is a step for records nobody needs any more.
func Drop(Record) ([]Record, error) { return nil, nil }
