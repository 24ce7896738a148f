package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/internal/docstore"
)

const collection = "exports"

// States of an export.
const (
	Running = "running"
	Done    = "done"
	Failed  = "failed"
	Expired = "expired"
)

// Export is one archive, or what became of it. Stored: names stay.
type Export struct {
	ID        string    `json:"-"`
	Customers []string  `json:"customers"`
	State     string    `json:"state"`
	Size      int64     `json:"size,omitempty"`
	Failure   string    `json:"failure,omitempty"`
	StartedAt time.Time `json:"started_at"`
	ExpiresAt time.Time `json:"expires_at"`
	Actor     string    `json:"actor"`
	Blobs     []string  `json:"blobs,omitempty"` // in order
}

// Key names the data key of an export.
func Key(id string) string { return "export/" + id }

// ErrNotFound: there is no such export, or it is not there any more.
var ErrNotFound = errors.New("no such export")

func (s *Service) declare(ctx context.Context) error {
	if err := s.State.Declare(ctx, docstore.Collection{Name: collection}); err != nil {
		return fmt.Errorf("declare exports: %w", err)
	}
	return nil
}

func (s *Service) put(ctx context.Context, e *Export) error {
	b, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode export: %w", err)
	}
	op := docstore.Op{Collection: collection, Doc: docstore.Doc{ID: e.ID, JSON: b}}
	if err := s.State.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}}); err != nil {
		return fmt.Errorf("note export: %w", err)
	}
	return nil
}

// Get finds an export.
func (s *Service) Get(ctx context.Context, id string) (*Export, error) {
	if !subject.ValidToken(id) {
		return nil, ErrNotFound
	}
	d, err := s.State.Get(ctx, collection, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read export: %w", err)
	}
	e := &Export{ID: id}
	if err := json.Unmarshal(d.JSON, e); err != nil {
		return nil, fmt.Errorf("read export: %w", err)
	}
	return e, nil
}

// Start asks for an export. The same key of the same actor is the same one.
func (s *Service) Start(ctx context.Context, customers []string, actor, key string) (*Export, error) {
	if len(customers) == 0 || len(customers) > MaxCustomers {
		return nil, &customer.FieldError{Field: "customer_ids", Problem: fmt.Sprintf("must be 1 to %d", MaxCustomers)}
	}
	for i, c := range customers {
		if !subject.ValidToken(c) {
			return nil, &customer.FieldError{Field: fmt.Sprintf("customer_ids[%d]", i), Problem: "is not a customer's id"}
		}
	}
	id := s.Keys.Hash("export", s.Tenant, actor, key)
	if e, err := s.Get(ctx, id); err == nil || !errors.Is(err, ErrNotFound) {
		return e, err
	}
	for _, c := range customers {
		if err := s.Audit(ctx, "export.customer", actor, c, id); err != nil {
			return nil, err
		}
	}
	now := s.Now().UTC()
	e := &Export{
		ID: id, Customers: slices.Compact(slices.Sorted(slices.Values(customers))), State: Running,
		StartedAt: now, ExpiresAt: now.Add(Life), Actor: actor,
	}
	if err := s.put(ctx, e); err != nil {
		return nil, err
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return e, nil
}

// Open writes a finished export to w.
func (s *Service) Open(ctx context.Context, e *Export, w io.Writer) error {
	for _, key := range e.Blobs {
		b, err := s.Blobs.Get(ctx, key)
		if err != nil {
			return err
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// Of names the data keys and blobs of exports that hold a customer: what an
// erasure destroys along with him.
func (s *Service) Of(ctx context.Context, customer string) (keys, blobs []string, err error) {
	err = s.each(ctx, func(e *Export) error {
		if slices.Contains(e.Customers, customer) && e.State != Expired {
			keys, blobs = append(keys, Key(e.ID)), append(blobs, e.Blobs...)
		}
		return nil
	})
	return keys, blobs, err
}

// Forget ends the exports that hold any of the customers.
func (s *Service) Forget(ctx context.Context, customers []string) error {
	return s.each(ctx, func(e *Export) error {
		if e.State == Expired || !slices.ContainsFunc(e.Customers, func(c string) bool { return slices.Contains(customers, c) }) {
			return nil
		}
		return s.expire(ctx, e)
	})
}

func (s *Service) each(ctx context.Context, fn func(*Export) error) error {
	return s.State.Scan(ctx, collection, func(d docstore.Doc) error {
		e := &Export{ID: d.ID}
		if err := json.Unmarshal(d.JSON, e); err != nil {
			return fmt.Errorf("read export: %w", err)
		}
		return fn(e)
	})
}

// expire destroys the key first: what is left then cannot be read.
func (s *Service) expire(ctx context.Context, e *Export) error {
	if err := s.Keys.Destroy(ctx, Key(e.ID)); err != nil {
		return err
	}
	if err := s.drop(ctx, e); err != nil {
		return err
	}
	e.State = Expired
	return s.put(ctx, e)
}

func (s *Service) drop(ctx context.Context, e *Export) error {
	for _, key := range e.Blobs {
		if err := s.Blobs.Delete(ctx, key); err != nil {
			return err
		}
	}
	e.Blobs, e.Size = nil, 0
	return nil
}

// partSize is how much of an archive is in one blob, in bytes.
const partSize = 16 << 20

// parts writes an archive into blobs, each noted once it is on disk.
type parts struct {
	ctx context.Context
	s   *Service
	e   *Export
	buf bytes.Buffer
}

func (p *parts) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		take := min(len(b), partSize-p.buf.Len())
		p.buf.Write(b[:take])
		b = b[take:]
		if p.buf.Len() == partSize {
			if err := p.flush(); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

func (p *parts) flush() error {
	if p.buf.Len() == 0 {
		return nil
	}
	key, size, err := p.s.Blobs.Put(p.ctx, Key(p.e.ID), &p.buf, partSize)
	if err != nil {
		return err
	}
	p.buf.Reset()
	p.e.Blobs, p.e.Size = append(p.e.Blobs, key), p.e.Size+size
	return p.s.put(p.ctx, p.e)
}

// Fetched tells the audit log that somebody downloads an export.
func (s *Service) Fetched(ctx context.Context, e *Export, actor string) error {
	for _, c := range e.Customers {
		if err := s.Audit(ctx, "export.fetched", actor, c, e.ID); err != nil {
			return err
		}
	}
	return nil
}
