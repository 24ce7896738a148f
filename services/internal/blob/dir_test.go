package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
)

const mib = 1 << 20

func newDir(t testing.TB, dir string, keys blob.Keys) *blob.Dir {
	t.Helper()
	d, err := blob.NewDir(dir, keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func content(n int) []byte { return bytes.Repeat([]byte("weftline blob. "), n/15+1)[:n] }

// files are the paths of all files below dir.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(p string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			out = append(out, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPutGet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := newDir(t, dir, crypt.NewMemory())
	for _, n := range []int{0, 1, 1000, mib - 1, mib, mib + 1, 2 * mib, 3*mib + 7} {
		want := content(n)
		key, size, err := d.Put(t.Context(), "unit", iotest.OneByteReader(bytes.NewReader(want)), int64(max(n, 1)))
		if n > mib {
			key, size, err = d.Put(t.Context(), "unit", bytes.NewReader(want), int64(n))
		}
		if err != nil || size != int64(n) {
			t.Fatalf("%d bytes: size %d, %v", n, size, err)
		}
		got, err := d.Get(t.Context(), key)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes: got %d bytes, %v", n, len(got), err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, key[:2], key[2:4], key))
		if err != nil || bytes.Contains(raw, []byte("weftline blob")) {
			t.Fatalf("%d bytes: on disk: %v", n, err)
		}
		for range 2 {
			if err := d.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := d.Get(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
			t.Fatalf("after delete: %v", err)
		}
	}
}

func TestTooLargeLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := newDir(t, dir, crypt.NewMemory())
	broken := errors.New("line broke")
	for _, c := range []struct {
		r     io.Reader
		limit int64
		want  error
	}{
		{strings.NewReader("12345"), 4, blob.ErrTooLarge},
		{bytes.NewReader(content(mib + 1)), mib, blob.ErrTooLarge},
		{bytes.NewReader(content(3 * mib)), 2*mib + 5, blob.ErrTooLarge},
		{io.MultiReader(bytes.NewReader(content(2*mib)), iotest.ErrReader(broken)), 9 * mib, broken},
	} {
		if _, _, err := d.Put(t.Context(), "k", c.r, c.limit); !errors.Is(err, c.want) {
			t.Errorf("error = %v, want %v", err, c.want)
		}
	}
	for _, limit := range []int64{0, -1, blob.MaxSize + 1} {
		if _, _, err := d.Put(t.Context(), "k", strings.NewReader(""), limit); err == nil {
			t.Errorf("limit %d accepted", limit)
		}
	}
	for _, key := range []string{"", strings.Repeat("k", 513)} {
		if _, _, err := d.Put(t.Context(), key, strings.NewReader(""), 1); err == nil {
			t.Errorf("data key %q accepted", key)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := d.Put(ctx, "k", strings.NewReader("x"), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if left := files(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestShredded(t *testing.T) {
	t.Parallel()
	keys := crypt.NewMemory()
	d := newDir(t, t.TempDir(), keys)
	key, _, err := d.Put(t.Context(), "unit", strings.NewReader("x"), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Destroy(t.Context(), "unit"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(t.Context(), key); !errors.Is(err, crypt.ErrShredded) {
		t.Fatalf("get: %v", err)
	}
	if _, _, err := d.Put(t.Context(), "unit", strings.NewReader("x"), 1); !errors.Is(err, crypt.ErrShredded) {
		t.Fatalf("put: %v", err)
	}
}

func TestDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := newDir(t, dir, crypt.NewMemory())
	key, _, err := d.Put(t.Context(), "unit", bytes.NewReader(content(2*mib+100)), 4*mib)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := d.Put(t.Context(), "unit", bytes.NewReader(content(2*mib+100)), 4*mib)
	if err != nil {
		t.Fatal(err)
	}
	place := func(k string) string { return filepath.Join(dir, k[:2], k[2:4], k) }
	whole, err := os.ReadFile(place(key))
	if err != nil {
		t.Fatal(err)
	}
	head, box := 10, 4+mib+29 // magic, length, "unit"; a full chunk
	first, second, last := whole[head:head+box], whole[head+box:head+2*box], whole[head+2*box:]
	flipped := func(i int) []byte { b := bytes.Clone(whole); b[i] ^= 1; return b }
	for name, b := range map[string][]byte{
		"empty": {}, "head": whole[:5], "no chunk": whole[:head], "magic": flipped(0), "name length": append([]byte("WFB1\xff\xff"), whole[6:]...),
		"cut in a length": whole[:head+2], "cut in a chunk": whole[:head+100], "cut at a chunk": whole[:head+2*box], "cut by one": whole[:len(whole)-1],
		"more": append(bytes.Clone(whole), 0), "bit": flipped(head + 50), "last bit": flipped(len(whole) - 1), "chunk length": flipped(head),
		"chunks exchanged": bytes.Join([][]byte{whole[:head], second, first, last}, nil),
		"chunk twice":      bytes.Join([][]byte{whole[:head], first, second, second, last}, nil),
	} {
		if err := os.WriteFile(place(key), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Get(t.Context(), key); !errors.Is(err, blob.ErrCorrupt) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
	if err := os.WriteFile(place(other), whole, 0o600); err != nil { // one blob in another's place
		t.Fatal(err)
	}
	if _, err := d.Get(t.Context(), other); !errors.Is(err, blob.ErrCorrupt) {
		t.Errorf("moved: error = %v", err)
	}
}

func TestForeignKeys(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	if err := os.WriteFile(filepath.Join(top, "secret"), []byte("s"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDir(t, filepath.Join(top, "blobs"), crypt.NewMemory())
	for _, key := range []string{
		"", ".", "..", "/", "../secret", "../../secret", "tmp", "aa/bb/x", strings.Repeat("A", 32), strings.Repeat("a", 31),
		strings.Repeat("a", 33), strings.Repeat("a", 31) + "/", strings.Repeat("a", 31) + "\x00", strings.Repeat("a", 32) + "\n", "..." + strings.Repeat("a", 29),
	} {
		if _, err := d.Get(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("get %q: %v", key, err)
		}
		if err := d.Delete(t.Context(), key); err != nil {
			t.Errorf("delete %q: %v", key, err)
		}
	}
	if _, err := os.Stat(filepath.Join(top, "secret")); err != nil {
		t.Error(err)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	newDir(t, dir, crypt.NewMemory())
	old, fresh := filepath.Join(dir, "tmp", "old"), filepath.Join(dir, "tmp", "fresh")
	for _, p := range []string{old, fresh} {
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	newDir(t, dir, crypt.NewMemory())
	if left := files(t, dir); len(left) != 1 || left[0] != fresh {
		t.Fatalf("left = %v, want %s", left, fresh)
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	d := newDir(t, t.TempDir(), crypt.NewMemory())
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 5 {
				want := content(g*100 + i)
				key, _, err := d.Put(t.Context(), "k", bytes.NewReader(want), 1000)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := d.Get(t.Context(), key); err != nil || !bytes.Equal(got, want) {
					t.Errorf("got %d bytes, %v", len(got), err)
				}
			}
		})
	}
	wg.Wait()
}

// FuzzGet: whatever a file holds, Get neither panics nor returns what was not put.
func FuzzGet(f *testing.F) {
	dir := f.TempDir()
	keys := crypt.NewDeterministic("fuzz")
	d, err := blob.NewDir(dir, keys)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = d.Close() })
	key, _, err := d.Put(context.Background(), "unit", strings.NewReader("content"), 100)
	if err != nil {
		f.Fatal(err)
	}
	place := filepath.Join(dir, key[:2], key[2:4], key)
	whole, err := os.ReadFile(place)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte("WFB1\x00\x01k\xff\xff\xff\xff"))
	f.Add([]byte("WFB1\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(place, b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := d.Get(t.Context(), key)
		if err == nil && string(got) != "content" {
			t.Fatalf("got %q", got)
		}
	})
}
