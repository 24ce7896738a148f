package conversation_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
)

// ledger is an audit log in memory.
type ledger struct {
	mu     sync.Mutex
	lines  []string
	all    []audit.Entry
	broken error
}

func (l *ledger) Record(ctx context.Context, e audit.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	who, _ := actor.From(ctx)
	line := who.ID + " " + e.Action
	for _, id := range []string{e.Customer, e.IDs["file"], e.IDs["hits"], e.Reason} {
		if id != "" {
			line += " " + id
		}
	}
	l.lines = append(l.lines, line)
	l.all = append(l.all, e)
	return l.broken
}

func (l *ledger) RecordSync(ctx context.Context, e audit.Entry) error { return l.Record(ctx, e) }

func (l *ledger) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	got := l.lines
	l.lines, l.all = nil, nil
	return got
}

// entries is take, with all that was told.
func (l *ledger) entries() []audit.Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	got := l.all
	l.lines, l.all = nil, nil
	return got
}

func (l *ledger) brake(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = err
}

func TestReadsAreRecorded(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.deliver("files", post{From: "pia@example.org", Text: "see", Files: map[string][]byte{"page.html": []byte("a note")}})
	page := eventually(t, "the message", func() (*inboxv1.SearchResponse, error) {
		return r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "see"})
	}, func(s *inboxv1.SearchResponse) bool { return len(s.GetHits()) == 1 })
	entry := page.GetHits()[0].GetEntry()
	customer, message := entry.GetCustomerId(), entry.GetMessage()
	r.audit.take()
	read := func() (failed []string) {
		for name, call := range map[string]func() error{
			"timeline": func() error {
				_, err := r.inbox.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: customer})
				return err
			},
			"customer": func() error {
				_, err := r.inbox.FindCustomer(t.Context(), &inboxv1.FindCustomerRequest{By: &inboxv1.FindCustomerRequest_CustomerId{CustomerId: customer}})
				return err
			},
			"customers": func() error {
				_, err := r.inbox.ListCustomers(t.Context(), &inboxv1.ListCustomersRequest{})
				return err
			},
			"search": func() error {
				_, err := r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "see"})
				return err
			},
			"attachment": func() error { return r.get("/attachments/" + message.GetAttachments()[0].GetId()) },
			"original":   func() error { return r.get("/originals/" + message.GetOriginal()) },
		} {
			if call() != nil {
				failed = append(failed, name)
			}
		}
		return failed
	}
	if failed := read(); len(failed) != 0 {
		t.Fatalf("failed: %v", failed)
	}
	sorted := cmp.Transformer("set", func(in []string) map[string]int {
		m := map[string]int{}
		for _, s := range in {
			m[s]++
		}
		return m
	})
	want := []string{
		"ada read.timeline " + customer, "ada read.customer " + customer, "ada read.customers", "ada read.search 1",
		"ada download.attachment " + customer + " 0", "ada download.original " + customer,
	}
	if d := cmp.Diff(want, r.audit.take(), sorted); d != "" {
		t.Fatal(d)
	}
	// What is not there was not read.
	if _, err := r.inbox.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: "nobody"}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Fatal(err)
	}
	if got := r.audit.take(); len(got) != 0 {
		t.Fatalf("recorded %v", got)
	}
	// What cannot be recorded is not answered.
	r.audit.brake(errors.New("disk is full"))
	if failed := read(); len(failed) != 6 {
		t.Fatalf("only %v failed", failed)
	}
}

func (r *rig) get(path string) error {
	if status, _, body := r.call("agent", http.MethodGet, path, ""); status != http.StatusOK {
		return errors.New(body)
	}
	return nil
}

func TestBulkReadingIsRefused(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.deliver("files", post{From: "pia@example.org", Text: "see", Files: map[string][]byte{"page.html": []byte("a note")}})
	page := eventually(t, "the message", func() (*inboxv1.SearchResponse, error) {
		return r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "see"})
	}, func(s *inboxv1.SearchResponse) bool { return len(s.GetHits()) == 1 })
	for i := range 5 * bulkRead { // those who are not there count: guessing is reading too
		_, err := r.inbox.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: "nobody" + string(rune('a'+i))})
		if connect.CodeOf(err) != connect.CodeNotFound {
			t.Fatal(i, err)
		}
	}
	_, err := r.inbox.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: page.GetHits()[0].GetEntry().GetCustomerId()})
	if refused, ok := errors.AsType[*connect.Error](err); !ok || refused.Code() != connect.CodeResourceExhausted || refused.Meta().Get("Retry-After") == "" {
		t.Fatal(err)
	}
	status, h, _ := r.call("agent", http.MethodGet, "/attachments/"+page.GetHits()[0].GetEntry().GetMessage().GetAttachments()[0].GetId(), "")
	if status != http.StatusTooManyRequests || h.Get("Retry-After") == "" {
		t.Fatal(status, h)
	}
	alerts := 0
	for _, line := range r.audit.take() {
		if line == "ada alert.bulk_read" || line == "ada alert.bulk_read resource_exhausted" {
			alerts++
		}
	}
	if alerts != 2 {
		t.Fatalf("%d alerts", alerts)
	}
}
