// Package ledger keeps the list of what was erased: ids and names of keys, no
// personal data. It is an append-only file beside the data, one JSON object a
// line, and it is what keeps an older backup from bringing anybody back: a
// restored hub does once more what the ledger says.
//
// Keep a copy of it apart from the backups it is to protect against.
package ledger

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// File is its name in a data directory and in a backup.
const File = "erasures.jsonl"

// Kinds of entries.
const (
	KindCustomer = "customer" // a customer was erased
	KindLate     = "late"     // something came to him after that
	KindRetired  = "retired"  // a conversation was kept for long enough
)

// Entry is one line. Stored: names stay. What an erasure destroyed may be more
// than one entry holds; then there are several parts.
type Entry struct {
	ID            string    `json:"id"` // unique: writing it again changes nothing
	Kind          string    `json:"kind"`
	At            time.Time `json:"at"`
	Tenant        string    `json:"tenant"`
	Erase         string    `json:"erase,omitempty"`
	Customer      string    `json:"customer,omitempty"`
	Conversation  string    `json:"conversation,omitempty"`
	Policy        string    `json:"policy,omitempty"`
	Actor         string    `json:"actor,omitempty"`
	Handles       []string  `json:"handles,omitempty"` // ids: keyed hashes
	Keys          []string  `json:"keys,omitempty"`    // names of data keys
	Blobs         []string  `json:"blobs,omitempty"`
	Inputs        []string  `json:"inputs,omitempty"` // references of originals
	Conversations []string  `json:"conversations,omitempty"`
	Replies       []string  `json:"replies,omitempty"`
	Releases      []Release `json:"releases,omitempty"`
	Commits       []Commit  `json:"commits,omitempty"` // of the event log, removed one by one
}

// Release is what a handle must remember of messages that may come again.
type Release struct {
	Handle string    `json:"handle"`
	Tenure int64     `json:"tenure"`
	Seen   []string  `json:"seen,omitempty"` // keyed hashes
	CutOff time.Time `json:"cut_off"`
	// Started are orders to write first that must not be carried out again.
	Started []string `json:"started,omitempty"`
	// Moved: the handle is somebody else's, and goes on being his.
	Moved bool `json:"moved,omitempty"`
}

// Commit is a place in the event log.
type Commit struct {
	Partition int    `json:"p"`
	Seq       uint64 `json:"s"`
}

// Ledger is the file of one data directory. Safe for concurrent use by one process.
type Ledger struct {
	path string

	mu    sync.Mutex
	known map[string]bool
}

// Open reads what is there. A last line that a crash cut off is removed: what it
// was to say had not been done.
func Open(dir string) (*Ledger, error) {
	l := &Ledger{path: filepath.Join(dir, File), known: map[string]bool{}}
	entries, whole, err := read(l.path)
	if err != nil {
		return nil, err
	}
	if err := l.cut(whole); err != nil {
		return nil, fmt.Errorf("open %s: %w", File, err)
	}
	for _, e := range entries {
		l.known[e.ID] = true
	}
	return l, nil
}

func (l *Ledger) cut(whole int64) error {
	info, err := os.Stat(l.path)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == whole {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Truncate(l.path, whole)
}

// Add appends entries that are not there yet. On disk (fsynced) when it returns.
func (l *Ledger) Add(entries ...Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b bytes.Buffer
	fresh := entries[:0:0]
	for _, e := range entries {
		if l.known[e.ID] {
			continue
		}
		line, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("encode ledger entry: %w", err)
		}
		b.Write(append(line, '\n'))
		fresh = append(fresh, e)
	}
	if len(fresh) == 0 {
		return nil
	}
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", File, err)
	}
	_, err = f.Write(b.Bytes())
	if err = errors.Join(err, f.Sync(), f.Close(), syncDir(filepath.Dir(l.path))); err != nil {
		return fmt.Errorf("write %s: %w", File, err)
	}
	for _, e := range fresh {
		l.known[e.ID] = true
	}
	return nil
}

// Entries reads all of them, oldest first.
func (l *Ledger) Entries() ([]Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entries, _, err := read(l.path)
	return entries, err
}

// Path of the file; it may not be there yet.
func (l *Ledger) Path() string { return l.path }

// Read reads a ledger file, none when it is not there.
func Read(path string) ([]Entry, error) {
	entries, _, err := read(path)
	return entries, err
}

// Merge writes into dir the ledger that has everything of what is there and of
// others, and returns its newest entry; the zero Entry when all are empty.
func Merge(dir string, others ...string) (newest Entry, n int, err error) {
	l, err := Open(dir)
	if err != nil {
		return Entry{}, 0, err
	}
	for _, path := range others {
		entries, err := Read(path)
		if err != nil {
			return Entry{}, 0, err
		}
		if err := l.Add(entries...); err != nil {
			return Entry{}, 0, err
		}
	}
	all, err := l.Entries()
	if err != nil || len(all) == 0 {
		return Entry{}, 0, err
	}
	return slices.MaxFunc(all, func(a, b Entry) int { return a.At.Compare(b.At) }), len(all), nil
}

func read(path string) (entries []Entry, whole int64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", path, err)
	}
	defer f.Close()
	r := bufio.NewReader(f)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return entries, whole, nil // a line without an end was not finished
		}
		if err != nil {
			return nil, 0, fmt.Errorf("read %s: %w", path, err)
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil || e.ID == "" {
			return nil, 0, fmt.Errorf("%s: line %d is not an entry: the file is damaged", path, n)
		}
		entries = append(entries, e)
		whole += int64(len(line))
	}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
