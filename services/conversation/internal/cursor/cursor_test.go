package cursor_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/services/conversation/internal/cursor"
	"pgregory.net/rapid"
)

type mac string

func (m mac) MAC(purpose string, data []byte) []byte {
	h := hmac.New(sha256.New, []byte(string(m)+purpose))
	h.Write(data)
	return h.Sum(nil)[:16]
}

func (m mac) VerifyMAC(purpose string, data, sum []byte) bool {
	return hmac.Equal(m.MAC(purpose, data), sum)
}

func TestCursorRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 16).Draw(t, "partitions")
		want := cursor.Cursor{
			Seqs:    rapid.SliceOfN(rapid.Uint64(), n, n).Draw(t, "seqs"),
			Partial: rapid.IntRange(0, n-1).Draw(t, "partial"),
			Seen:    rapid.IntRange(0, 1000).Draw(t, "seen"),
		}
		text := want.Encode(mac("k"))
		got, err := cursor.Decode(mac("k"), text, n)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
		if _, err := cursor.Decode(mac("other"), text, n); !errors.Is(err, cursor.ErrInvalid) {
			t.Fatalf("another hub's cursor: %v", err)
		}
		if _, err := cursor.Decode(mac("k"), text, n+1); !errors.Is(err, cursor.ErrInvalid) {
			t.Fatalf("another partition count: %v", err)
		}
	})
}

func TestForgedCursorsAreRefused(t *testing.T) {
	t.Parallel()
	good := []byte(cursor.Cursor{Seqs: []uint64{7, 300, 0, 1}}.Encode(mac("k")))
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 1
		if _, err := cursor.Decode(mac("k"), string(bad), 4); !errors.Is(err, cursor.ErrInvalid) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		if _, err := cursor.Decode(mac("k"), rapid.String().Draw(t, "text"), 4); !errors.Is(err, cursor.ErrInvalid) {
			t.Fatalf("got %v", err)
		}
	})
}
