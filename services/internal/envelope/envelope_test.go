package envelope_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/envelope"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := crypt.Sealed{Key: rapid.String().Draw(t, "key"), Box: rapid.SliceOf(rapid.Byte()).Draw(t, "box")}
		got, err := envelope.Unmarshal(envelope.Marshal(s))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(s, got, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
	})
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Add(envelope.Marshal(crypt.Sealed{Key: "k", Box: []byte("b")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := envelope.Unmarshal(b)
		if err == nil && len(s.Key)+len(s.Box) > len(b) {
			t.Fatal("more out than in")
		}
	})
}
