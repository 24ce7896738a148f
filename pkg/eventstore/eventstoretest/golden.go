package eventstoretest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/eventstore"
)

// Golden holds a codec against files of every form ever written.
//
// dir has one <type>.v<N>.json per stored form; a form that is read through
// upcasters has <type>.v<N>.now.json beside it: the records it has become.
// examples are one value (or more) of every registered type, the first of each
// with all fields set.
//
// Run the test with GOLDEN=write to add missing files. Existing ones are never
// overwritten: they are history. To change a form, raise its version, add an
// upcaster, and keep the old file.
func Golden[E any](t *testing.T, codec *eventstore.Codec[E], dir string, examples []E, opts ...cmp.Option) {
	t.Helper()
	write := os.Getenv("GOLDEN") == "write"
	seen := map[eventstore.Kind]bool{}
	for _, example := range examples {
		records, err := codec.Encode(example)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		r := records[0]
		back, err := codec.Decode(records)
		if err != nil {
			t.Errorf("%s v%d does not come back: %v", r.Type, r.V, err)
		} else if diff := cmp.Diff([]E{example}, back, opts...); diff != "" {
			t.Errorf("%s v%d changed by storing it (-want +got):\n%s", r.Type, r.V, diff)
		}
		if kind := (eventstore.Kind{Type: r.Type, V: r.V}); !seen[kind] {
			seen[kind] = true
			golden(t, filepath.Join(dir, fmt.Sprintf("%s.v%d.json", r.Type, r.V)), r.Data, write)
		}
	}
	for _, k := range codec.Kinds() {
		if !seen[k] {
			t.Errorf("no example of %s v%d", k.Type, k.V)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, ".now.json") {
			continue
		}
		kind, err := kindOf(f)
		if err != nil {
			t.Error(err)
		} else if !seen[kind] {
			past(t, codec, f, kind, write)
		}
	}
}

// past reads a form that is no longer written.
func past[E any](t *testing.T, codec *eventstore.Codec[E], file string, kind eventstore.Kind, write bool) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
		return
	}
	events, err := codec.Decode([]eventstore.Record{{Type: kind.Type, V: kind.V, Data: data}})
	if err != nil {
		t.Errorf("%s can no longer be read: %v", file, err)
		return
	}
	now, err := codec.Encode(events...)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	body, err := json.Marshal(now)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	golden(t, strings.TrimSuffix(file, ".json")+".now.json", body, write)
}

func golden(t *testing.T, file string, got []byte, write bool) {
	t.Helper()
	want, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && write {
		var pretty bytes.Buffer
		if err = json.Indent(&pretty, got, "", "  "); err == nil {
			pretty.WriteByte('\n')
			if err = os.MkdirAll(filepath.Dir(file), 0o755); err == nil {
				err = os.WriteFile(file, pretty.Bytes(), 0o644)
			}
		}
		want = got
	}
	if err != nil {
		t.Errorf("%v (GOLDEN=write adds missing files)", err)
		return
	}
	if diff := cmp.Diff(compact(want), compact(got)); diff != "" {
		t.Errorf("%s is history and differs from what is written now (-file +now); raise the version:\n%s", file, diff)
	}
}

// compact spells equal JSON in the same way; it keeps the order of fields.
func compact(b []byte) string {
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil {
		return fmt.Sprintf("not JSON (%v): %s", err, b)
	}
	return out.String()
}

func kindOf(file string) (eventstore.Kind, error) {
	name := strings.TrimSuffix(filepath.Base(file), ".json")
	i := strings.LastIndex(name, ".v")
	if i < 0 {
		return eventstore.Kind{}, fmt.Errorf("%s is not <type>.v<N>.json", file)
	}
	v, err := strconv.Atoi(name[i+2:])
	if err != nil {
		return eventstore.Kind{}, fmt.Errorf("%s is not <type>.v<N>.json: %w", file, err)
	}
	return eventstore.Kind{Type: name[:i], V: v}, nil
}
