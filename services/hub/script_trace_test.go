package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdTraces looks for a word in every file of the data directory: as it is, in
// base64, hexadecimal and UTF-16, and inside gzip.
func cmdTraces(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] traces WORD")
	}
	where := ""
	ts.Check(filepath.WalkDir(ts.Getenv("DATA"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() { // a running hub has a socket there
			return err
		}
		b, err := os.ReadFile(path)
		if how := traceOf(b, args[0]); how != "" {
			where = how + " in " + path
		}
		return err
	}))
	if (where != "") == neg {
		ts.Fatalf("%q in the data directory: %q", args[0], where)
	}
}

// traceOf says in which coding data holds the word; "" if in none.
func traceOf(data []byte, word string) string {
	for how, form := range codings(word) {
		if bytes.Contains(data, form) {
			return how
		}
	}
	magic := []byte{0x1f, 0x8b, 8}
	for rest := data; ; {
		i := bytes.Index(rest, magic)
		if i < 0 {
			return ""
		}
		rest = rest[i:]
		if z, err := gzip.NewReader(bytes.NewReader(rest)); err == nil {
			plain, _ := io.ReadAll(io.LimitReader(z, 64<<20)) // what is there before the damage counts
			for how, form := range codings(word) {
				if bytes.Contains(plain, form) {
					return "gzip of " + how
				}
			}
		}
		rest = rest[1:]
	}
}

func codings(word string) map[string][]byte {
	forms := map[string][]byte{"plain": []byte(word), "hex": []byte(hex.EncodeToString([]byte(word)))}
	for _, u := range utf16.Encode([]rune(word)) {
		forms["UTF-16LE"] = binary.LittleEndian.AppendUint16(forms["UTF-16LE"], u)
		forms["UTF-16BE"] = binary.BigEndian.AppendUint16(forms["UTF-16BE"], u)
	}
	// Base64 depends on where the word stands in its group of three: the
	// characters that the neighbours change are left out.
	for shift, cut := range map[int]int{0: 0, 1: 2, 2: 3} {
		s := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), word...))
		if (shift+len(word))%3 != 0 {
			s = s[:len(s)-1]
		}
		forms["base64+"+string(rune('0'+shift))] = []byte(s[cut:])
	}
	return forms
}

func TestTracesAreFound(t *testing.T) {
	t.Parallel()
	const word = "4539148803436467"
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write([]byte("some text " + word + " and more")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for how, data := range map[string][]byte{
		"plain": []byte("x" + word), "gzip": append([]byte("\x1f\x8b\x08 not this"), z.Bytes()...),
		"base64 0": []byte(base64.StdEncoding.EncodeToString([]byte("abc" + word + "z"))),
		"base64 1": []byte(base64.StdEncoding.EncodeToString([]byte("abcd" + word + "zz"))),
		"base64 2": []byte(base64.StdEncoding.EncodeToString([]byte("abcde" + word))),
		"UTF-16":   []byte("4\x005\x003\x009\x001\x004\x008\x008\x000\x003\x004\x003\x006\x004\x006\x007\x00"),
	} {
		if traceOf(data, word) == "" {
			t.Errorf("%s: not found in %q", how, data)
		}
	}
	if how := traceOf([]byte("4539148803436468"), word); how != "" {
		t.Errorf("found as %s where it is not", how)
	}
}
