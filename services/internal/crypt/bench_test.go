package crypt_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/weftline/weftline/services/internal/crypt"
)

func BenchmarkSeal1K(b *testing.B) {
	r := crypt.NewMemory()
	plain := bytes.Repeat([]byte("x"), 1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Seal(b.Context(), "k", plain, []byte("event/field")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen1K(b *testing.B) {
	r := crypt.NewMemory()
	s, err := r.Seal(b.Context(), "k", bytes.Repeat([]byte("x"), 1024), []byte("event/field"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Open(b.Context(), s, []byte("event/field")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	r := crypt.NewMemory()
	b.ReportAllocs()
	for b.Loop() {
		r.Hash("handle", "email", "", "ada@example.org")
	}
}

// BenchmarkEnsure makes a new key each time, fsynced, from many goroutines.
func BenchmarkEnsure(b *testing.B) {
	r := ring(b, table(b, filepath.Join(b.TempDir(), "keys.db")), kekA)
	var n atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := r.Ensure(b.Context(), fmt.Sprint("k", n.Add(1))); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
