package export

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/estate"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/intake"
)

// errMissing: a file is named and is nowhere.
var errMissing = errors.New("not kept")

// Format of the archive. It grows by fields; what is there stays.
const Format = 1

// archive is one zip being written, file after file.
type archive struct {
	s        *Service
	zip      *zip.Writer
	at       time.Time
	manifest manifest
	files    []file // to be fetched, in order
}

type manifest struct {
	Format    int            `json:"format"`
	CreatedAt time.Time      `json:"created_at"`
	Customers []string       `json:"customers"`
	Files     []listed       `json:"files"`
	Missing   []unlisted     `json:"missing,omitempty"`
	Counts    map[string]int `json:"counts"`
}

type listed struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// unlisted is a file that is named and cannot be had.
type unlisted struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// file is an attachment or an original that goes along.
type file struct {
	path    string
	blob    string
	ref     string // of the original
	channel string
	part    string // of the original; "" for the original itself
}

func newArchive(s *Service, w io.Writer) *archive {
	at := s.Now().UTC().Truncate(time.Second)
	return &archive{s: s, zip: zip.NewWriter(w), at: at, manifest: manifest{Format: Format, CreatedAt: at, Counts: map[string]int{}}}
}

func (a *archive) write(ctx context.Context, customers []string) error {
	a.manifest.Customers = customers
	var all []*exported
	for _, id := range customers {
		est, err := a.s.Streams.Of(ctx, id)
		if err != nil {
			return err
		}
		all = append(all, newExported(est))
	}
	if err := a.timeline(ctx, all); err != nil {
		return err
	}
	if err := a.conversations(all); err != nil {
		return err
	}
	if err := a.customers(ctx, all); err != nil {
		return err
	}
	for _, f := range a.files {
		if err := a.fetch(ctx, f); err != nil {
			return err
		}
	}
	if err := a.page(ctx, all); err != nil {
		return err
	}
	w, done, err := a.create("manifest.json")
	if err != nil {
		return err
	}
	if err := indent(w, a.manifest); err != nil {
		return err
	}
	done()
	return a.zip.Close()
}

func indent(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// create begins a file; done puts it into the manifest.
func (a *archive) create(path string) (io.Writer, func(), error) {
	w, err := a.zip.CreateHeader(&zip.FileHeader{Name: path, Method: zip.Deflate, Modified: a.at})
	if err != nil {
		return nil, nil, fmt.Errorf("write archive: %w", err)
	}
	c := &counted{w: w, sum: sha256.New()}
	return c, func() {
		a.manifest.Files = append(a.manifest.Files, listed{Path: path, Size: c.n, SHA256: hex.EncodeToString(c.sum.Sum(nil))})
	}, nil
}

type counted struct {
	w   io.Writer
	sum hash.Hash
	n   int64
}

func (c *counted) Write(b []byte) (int, error) {
	c.sum.Write(b)
	c.n += int64(len(b))
	return c.w.Write(b)
}

// fetch puts one file in, or says in the manifest why it is not there.
func (a *archive) fetch(ctx context.Context, f file) error {
	data, err := a.read(ctx, f)
	switch {
	case errors.Is(err, crypt.ErrShredded):
		a.manifest.Missing = append(a.manifest.Missing, unlisted{f.path, "erased"})
		return nil
	case errors.Is(err, blob.ErrNotFound), errors.Is(err, intake.ErrNoInput), errors.Is(err, errMissing):
		a.manifest.Missing = append(a.manifest.Missing, unlisted{f.path, "not kept"})
		return nil
	case err != nil:
		return err
	}
	w, done, err := a.create(f.path)
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return err
	}
	done()
	return nil
}

func (a *archive) read(ctx context.Context, f file) ([]byte, error) {
	if f.blob != "" {
		return a.s.Blobs.Get(ctx, f.blob)
	}
	raw, err := a.s.Originals.Open(ctx, f.ref)
	if err != nil || f.part == "" {
		return raw.Body, err
	}
	opener, ok := a.s.Parts(f.channel)
	if !ok {
		return nil, errMissing
	}
	data, _, err := opener.OpenPart(raw, f.part)
	if err != nil {
		a.s.Log.Warn("a part of an original could not be exported", "error", err)
		return nil, errMissing
	}
	return data, nil
}

// exported is one customer being exported.
type exported struct {
	est        *estate.Estate
	created    time.Time
	attributes map[string]string
	consents   []consent // the latest last
	holds      int
	talks      map[string]*talk
	order      []string // of talks
}

func newExported(est *estate.Estate) *exported {
	return &exported{est: est, attributes: map[string]string{}, talks: map[string]*talk{}}
}

// talk is a conversation as its customer may know it.
type talk struct {
	Customer string    `json:"customer"`
	ID       string    `json:"id"`
	Topic    string    `json:"topic,omitempty"`
	Inbox    string    `json:"inbox,omitempty"`
	Channel  string    `json:"channel,omitempty"`
	OpenedAt time.Time `json:"opened_at,omitzero"`
	Subject  string    `json:"subject,omitempty"`
	Status   string    `json:"status"`
	Assignee string    `json:"assignee,omitempty"`
	Priority string    `json:"priority,omitempty"`
	Tags     []string  `json:"tags,omitempty"`
	Messages int       `json:"messages"`
	Replies  int       `json:"replies"`
}

func (s *exported) talk(id string) *talk {
	if id == "" {
		return &talk{}
	}
	if s.talks[id] == nil {
		s.talks[id] = &talk{Customer: s.est.Customer, ID: id, Status: "open"}
		s.order = append(s.order, id)
	}
	return s.talks[id]
}

func (a *archive) conversations(all []*exported) error {
	w, done, err := a.create("conversations.jsonl")
	if err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, s := range all {
		for _, id := range s.order {
			if err := e.Encode(s.talks[id]); err != nil {
				return err
			}
			a.manifest.Counts["conversations"]++
		}
	}
	done()
	return nil
}
