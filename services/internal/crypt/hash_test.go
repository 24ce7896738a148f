package crypt_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weftline/weftline/services/internal/crypt"
)

func TestHash(t *testing.T) {
	t.Parallel()
	r := crypt.NewDeterministic("seed")
	h := r.Hash("handle", "a", "bc")
	if len(h) != 32 || strings.Trim(h, "0123456789abcdef") != "" {
		t.Fatalf("hash = %q", h)
	}
	seen := map[string]string{}
	for name, v := range map[string]string{
		"base": h, "moved": r.Hash("handle", "ab", "c"), "purpose": r.Hash("other", "a", "bc"), "one": r.Hash("handle", "abc"),
		"empty part": r.Hash("handle", "a", "bc", ""), "none": r.Hash("handle"), "seed": crypt.NewDeterministic("s2").Hash("handle", "a", "bc"),
		"random": crypt.NewMemory().Hash("handle", "a", "bc"),
	} {
		if other, ok := seen[v]; ok {
			t.Errorf("%s and %s are equal", name, other)
		}
		seen[v] = name
	}
	if crypt.NewDeterministic("seed").Hash("handle", "a", "bc") != h {
		t.Error("not the same again")
	}
	rapid.Check(t, func(rt *rapid.T) {
		parts := rapid.SliceOf(rapid.String())
		a, b := parts.Draw(rt, "a"), parts.Draw(rt, "b")
		if (r.Hash("p", a...) == r.Hash("p", b...)) != (fmt.Sprintf("%q", a) == fmt.Sprintf("%q", b)) {
			rt.Fatalf("%q and %q", a, b)
		}
	})
}

func TestMAC(t *testing.T) {
	t.Parallel()
	r := crypt.NewMemory()
	m := r.MAC("cursor", []byte("data"))
	if len(m) != 16 || !r.VerifyMAC("cursor", []byte("data"), m) {
		t.Fatalf("mac = %x", m)
	}
	for name, ok := range map[string]bool{
		"purpose": r.VerifyMAC("reply", []byte("data"), m),
		"data":    r.VerifyMAC("cursor", []byte("dat"), m),
		"short":   r.VerifyMAC("cursor", []byte("data"), m[:15]),
		"empty":   r.VerifyMAC("cursor", []byte("data"), nil),
		"other":   crypt.NewMemory().VerifyMAC("cursor", []byte("data"), m),
	} {
		if ok {
			t.Errorf("%s: accepted", name)
		}
	}
}
