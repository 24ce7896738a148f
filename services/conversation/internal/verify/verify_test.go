package verify_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/projection"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/historytest"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/verify"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"pgregory.net/rapid"
)

func run(t interface {
	Context() context.Context
	Fatal(...any)
}, h *historytest.History,
) verify.Report {
	r, err := verify.Run(t.Context(), verify.Deps{Events: h.Store, Keys: h.Keys, Decode: codec.Decode})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Nothing is found in any valid history.
func TestNoFalseAlarm(t *testing.T) {
	t.Parallel()
	keys := crypt.NewMemory()
	rapid.Check(t, func(t *rapid.T) {
		h := historytest.New(3, keys)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			h.Step(t)
		}
		if r := run(t, h); !r.OK() {
			t.Fatal(r.First)
		}
	})
}

// Every law can be broken, and the first offender is named.
func TestOffenders(t *testing.T) {
	t.Parallel()
	for law, breaking := range map[string]func(h *historytest.History, c *historytest.Customer, conv *historytest.Conversation){
		"once": func(h *historytest.History, c *historytest.Customer, conv *historytest.Conversation) {
			other := h.Meet(t, channel.Address{Kind: "email", Address: "b@example.org"}, "s", "t")
			h.Do(t, other, "x", event.MessageReceived{
				Message: conv.Messages[0].ID, Conversation: other.Conversations[0].ID, Handle: other.Handles[0].ID, Tenure: 1,
			})
		},
		"order": func(h *historytest.History, c *historytest.Customer, conv *historytest.Conversation) {
			h.Now = h.Now.AddDate(0, 0, -1)
			h.Do(t, c, "x", event.ConversationPended{Conversation: conv.ID})
		},
		"ownership": func(h *historytest.History, c *historytest.Customer, conv *historytest.Conversation) {
			h.Do(t, c, "x", event.MessageReceived{Message: "m", Conversation: conv.ID, Handle: c.Handles[0].ID, Tenure: 2})
		},
		"reply": func(h *historytest.History, c *historytest.Customer, conv *historytest.Conversation) {
			h.Do(t, c, "x", event.ReplyRequested{Reply: "r", Conversation: conv.ID, Answers: "later", Handle: c.Handles[0].ID, Tenure: 1})
		},
		"ghost": func(h *historytest.History, c *historytest.Customer, conv *historytest.Conversation) {
			h.Do(t, c, "x", event.ConversationOpened{Conversation: "ghost", Topic: "ghost"})
		},
		"delivery": func(h *historytest.History, c *historytest.Customer, conv *historytest.Conversation) {
			r, _ := h.Reply(t, c, conv, "x", "hello")
			h.Progress(t, c, conv, r, "read")
			h.Progress(t, c, conv, r, "sent")
		},
	} {
		h := historytest.New(3, crypt.NewMemory())
		h.Fill(t, 3)
		c := h.Customers[1]
		if r := run(t, h); !r.OK() {
			t.Fatal(r.First)
		}
		breaking(h, c, c.Conversations[0])
		switch r := run(t, h); {
		case r.OK():
			t.Errorf("%s: not found", law)
		case r.First.Law != law || r.First.Seq == 0 || r.First.Stream == "":
			t.Errorf("%s: found %v", law, r.First)
		}
	}
}

func TestTamperedDocumentIsFound(t *testing.T) {
	t.Parallel()
	keys := crypt.NewMemory()
	h := historytest.New(3, keys)
	store := open(t)
	live, err := readmodel.OpenLive(t.Context(), store, keys, codec.Decode, h.Store, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h.Fill(t, 5)
	if err := projection.Replay(t.Context(), h.Store, live); err != nil {
		t.Fatal(err)
	}
	deps := verify.Deps{Events: h.Store, Keys: keys, Decode: codec.Decode, Live: live, Scratch: open(t)}
	if r, err := verify.Run(t.Context(), deps); err != nil || !r.OK() || r.Digest == "" {
		t.Fatalf("%+v %v", r, err)
	}
	id := h.Customers[0].Conversations[0].ID
	d, err := store.Get(t.Context(), readmodel.NamesOf(1).Conversations, id)
	if err != nil {
		t.Fatal(err)
	}
	d.Seq++
	d.JSON = []byte(`{"customer":"c","status":"open","assignee":"none","inbox":"i","last":"1"}`)
	if err := store.Apply(t.Context(), docstore.Batch{Ops: []docstore.Op{{Collection: readmodel.NamesOf(1).Conversations, Doc: d}}}); err != nil {
		t.Fatal(err)
	}
	deps.Scratch = open(t)
	if r, err := verify.Run(t.Context(), deps); err != nil || r.OK() || r.First.Law != "rebuild" {
		t.Fatalf("%+v %v", r, err)
	}
}

func open(t *testing.T) docstore.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "read.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
