package hubtest

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"

	"github.com/klauspost/compress/s2"
)

// Find is a canary somewhere: in which file, in which disguise.
type Find struct{ Canary, File, As string }

// Canaries looks for words in every byte of a directory.
type Canaries struct {
	patterns []pattern
}

type pattern struct {
	canary, as string
	bytes      []byte
	fold       bool // compare without case
}

// NewCanaries looks for the words as they are (upper and lower case alike), in
// base64 at any of the three alignments, standard and for URLs, in UTF-16 of
// both orders, in hex and percent-encoded, and for all of that inside gzip,
// zlib, deflated zip entries, S2 and Snappy streams, wherever they begin. Words
// should be 8 letters and digits at least.
func NewCanaries(words ...string) *Canaries {
	c := &Canaries{}
	add := func(word, as string, b []byte, fold bool) {
		if fold {
			b = bytes.ToLower(b)
		}
		c.patterns = append(c.patterns, pattern{word, as, b, fold})
	}
	for _, w := range words {
		add(w, "plain", []byte(w), true)
		add(w, "hex", []byte(hex.EncodeToString([]byte(w))), true)
		var le, be []byte
		for _, u := range utf16.Encode([]rune(w)) {
			le, be = append(le, byte(u), byte(u>>8)), append(be, byte(u>>8), byte(u))
		}
		add(w, "UTF-16LE", le, true)
		add(w, "UTF-16BE", be, true)
		var pct strings.Builder
		for _, b := range []byte(w) {
			fmt.Fprintf(&pct, "%%%02x", b)
		}
		add(w, "percent", []byte(pct.String()), true)
		if esc := url.QueryEscape(w); esc != w {
			add(w, "query", []byte(esc), true)
		}
		for shift := range 3 {
			for name, enc := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
				s := enc.EncodeToString(append(make([]byte, shift), w...))
				// What depends on the neighbours is cut off.
				s = s[(shift*8+5)/6 : len(s)-1]
				add(w, fmt.Sprintf("%s+%d", name, shift), []byte(s), false)
			}
		}
	}
	return c
}

// In searches a directory and everything below it.
func (c *Canaries) In(dir string) ([]Find, error) {
	var all []Find
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		all = append(all, c.Bytes(rel, b)...)
		return nil
	})
	return all, err
}

// Bytes searches one piece.
func (c *Canaries) Bytes(name string, b []byte) []Find {
	var all []Find
	seen := map[Find]bool{}
	c.search(name, "", b, 4, func(f Find) {
		if !seen[f] {
			seen[f] = true
			all = append(all, f)
		}
	})
	return all
}

func (c *Canaries) search(name, inside string, b []byte, depth int, found func(Find)) {
	lower := bytes.ToLower(b)
	for _, p := range c.patterns {
		hay := b
		if p.fold {
			hay = lower
		}
		if bytes.Contains(hay, p.bytes) {
			found(Find{p.canary, name, inside + p.as})
		}
	}
	if depth == 0 {
		return
	}
	for _, pack := range packings {
		for from := 0; ; {
			i := bytes.Index(b[from:], pack.magic)
			if i < 0 {
				break
			}
			at := from + i
			from = at + 1
			if plain := pack.open(b[at:]); len(plain) > 0 {
				c.search(name, inside+pack.name+">", plain, depth-1, found)
			}
		}
	}
}

var packings = []struct {
	name  string
	magic []byte
	open  func([]byte) []byte
}{
	{"gzip", []byte{0x1f, 0x8b, 8}, func(b []byte) []byte {
		r, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil
		}
		return rest(r)
	}},
	{"zlib", []byte{0x78, 0x9c}, func(b []byte) []byte {
		r, err := zlib.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil
		}
		return rest(r)
	}},
	{"zip", []byte("PK\x03\x04"), func(b []byte) []byte {
		if len(b) < 30 {
			return nil
		}
		head := 30 + int(b[26]) + int(b[27])<<8 + int(b[28]) + int(b[29])<<8
		if head > len(b) || b[8] != 8 {
			return nil
		}
		return rest(flate.NewReader(bytes.NewReader(b[head:])))
	}},
	{"s2", []byte("\xff\x06\x00\x00S2sTwO"), openS2},
	{"snappy", []byte("\xff\x06\x00\x00sNaPpY"), openS2},
}

func openS2(b []byte) []byte { return rest(s2.NewReader(bytes.NewReader(b))) }

// rest is what can be read before the stream ends or breaks.
func rest(r io.Reader) []byte {
	b, _ := io.ReadAll(io.LimitReader(r, 64<<20))
	return b
}
