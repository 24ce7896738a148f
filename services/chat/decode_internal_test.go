package chat

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// FuzzDecodeFrame: no bytes make the decoder panic, and what it lets through is within the limits.
func FuzzDecodeFrame(f *testing.F) {
	for _, s := range []string{
		`{"type":"hello","token":"x"}`, `{"type":"message","client_id":"00000000-0000-4000-8000-000000000001","text":"hi"}`,
		`{"type":"read","position":"00a"}`, `{"type":"email","client_id":"00000000-0000-4000-8000-000000000001","address":"a@b.c"}`,
		`{"type":"message","type":"hello"}`, `null`, `[]`, `{"text":{"$gt":""}}`, "\xff", `{"type":"typing","typing":1e400}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, err := decodeFrame(b)
		if err != nil {
			if bad := new(frameError); !errors.As(err, &bad) {
				t.Fatalf("error %v has no kind", err)
			}
			return
		}
		switch fr.Type {
		case "message":
			if utf8.RuneCountInString(fr.Text) > maxText || len(fr.Attachments) > maxFiles || fr.Text == "" && len(fr.Attachments) == 0 {
				t.Fatalf("frame %+v is out of limits", fr)
			}
			if strings.IndexFunc(fr.Text, func(r rune) bool { return r != '\n' && r != '\t' && unicode.IsControl(r) }) >= 0 {
				t.Fatalf("text %q has control characters", fr.Text)
			}
		case "email":
			if !validEmail(fr.Address) || strings.ContainsAny(fr.Address, "\r\n") {
				t.Fatalf("address %q", fr.Address)
			}
		}
	})
}

func TestCleanName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"../../etc/passwd": "passwd", `..\\x`: "x", "\u200b.htaccess": "htaccess", "exe\u202egpj.txt": "exegpj.txt",
		"a\x00b": "ab", "CON": "_CON", "con.txt": "_con.txt", "-rf": "rf", "": "file", "...": "file", "a\"b\r\nc": "a_bc",
		"e\u0301.txt": "é.txt", "e\t\u0301.txt": "é.txt", "C:\\x\\y.pdf": "y.pdf", "photo.jpg. ": "photo.jpg",
	} {
		if got := cleanName(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := cleanName(rapid.String().Draw(t, "name") + rapid.StringMatching(`(\.[a-z]{1,5})?`).Draw(t, "ext"))
		if s == "" || strings.ContainsAny(s, "/\\\x00\r\n\"") || utf8.RuneCountInString(s) > maxName+1 || cleanName(s) != s {
			t.Fatalf("%q is not clean", s)
		}
	})
}

// TestQueue: frames come out in order, and the limits hold.
func TestQueue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := newQueue()
		var model [][]byte
		size := 0
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "put") {
				b := make([]byte, rapid.SampledFrom([]int{1, 100, 10_000, 300_000}).Draw(t, "size"))
				fits := len(model) == 0 || len(model) < queueFrames && size+len(b) <= queueBytes
				if q.offer(b) != fits {
					t.Fatalf("offer with %d frames, %d bytes: want %v", len(model), size, fits)
				}
				if fits {
					model, size = append(model, b), size+len(b)
				}
				continue
			}
			b, ok := q.next()
			if ok != (len(model) > 0) {
				t.Fatal("next does not know what is there")
			}
			if ok {
				if &b[0] != &model[0][0] {
					t.Fatal("out of order")
				}
				model, size = model[1:], size-len(b)
			}
		}
	})
}

func TestStoredInputForm(t *testing.T) {
	t.Parallel()
	// Written by the first version; must be read for ever.
	old := `{"v":1,"kind":"message","visitor":"ab","address":"sub:42","client_id":"c","text":"hi","files":[{"name":"a","type":"text/plain","size":3,"blob":"k"}],"login":{"kid":"k1","sub":"42","name":"Ada"},"at":"2026-01-02T03:04:05Z"}`
	var in input
	if err := json.Unmarshal([]byte(old), &in); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(in)
	if err != nil || string(b) != old {
		t.Errorf("now written as %s, %v", b, err)
	}
}
