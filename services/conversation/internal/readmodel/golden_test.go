package readmodel_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/historytest"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

var update = flag.Bool("update", false, "rewrite golden files")

// The documents of a small history, written out. When this fails on purpose,
// raise readmodel.Schema, so that old documents are rebuilt, and run with -update.
func TestDocumentsGolden(t *testing.T) {
	t.Parallel()
	store, keys := openStore(t), crypt.NewDeterministic("golden")
	h := historytest.New(1, keys)
	c := h.Meet(t, channel.Address{Kind: "email", Address: "ada@example.org", Name: "Ada"}, "Parcel", "Where is it?")
	conv := c.Conversations[0]
	reply, _ := h.Reply(t, c, conv, "bob", "On its way.")
	h.Progress(t, c, conv, reply, "sent")
	h.Progress(t, c, conv, reply, "delivered")
	h.Note(t, c, conv, "bob", "Carrier called.")
	h.Do(t, c, "bob",
		event.ConversationAssigned{Conversation: conv.ID, Assignee: "bob"},
		event.ConversationTagged{Conversation: conv.ID, Tag: "vip"},
		event.ConversationPrioritised{Conversation: conv.ID, Priority: "high"})
	h.Do(t, c, "bob", event.ConversationSnoozed{Conversation: conv.ID, Until: h.Now.AddDate(0, 0, 1)})
	h.Do(t, c, "bob", event.AttributeSet{Name: "plan", Value: h.Seal(t, event.CustomerKey(c.ID), "gold", event.AttributeAAD(c.ID, "plan"))})
	chat := h.Claim(t, c, channel.Address{Kind: "chat", Scope: "web", Address: "visitor-1"})
	h.Append(t, "customer."+c.ID, "attach", "system", event.HandleAttached{Handle: chat.ID, Kind: "chat", Tenure: 1})
	h.Say(t, c, conv, chat, "It is here, thanks!")
	h.Do(t, c, "system", event.MessageReread{Message: conv.Messages[1].ID, Conversation: conv.ID})

	p, err := readmodel.NewProjector(t.Context(), store, keys, codec.Decode, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	commits, err := h.Store.Read(t.Context(), 0, 1, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Apply(t.Context(), 0, commits); err != nil {
		t.Fatal(err)
	}
	got := dump(t, store, p.Names(), keys)
	const file = "testdata/documents.golden.txt"
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Fatalf("documents changed (-golden +now):\n%s", d)
	}
}

func dump(t *testing.T, s docstore.Store, n readmodel.Names, keys readmodel.Keys) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, collection := range n.All() {
		err := s.Scan(t.Context(), collection, func(d docstore.Doc) error {
			body, err := readmodel.Canonical(t.Context(), n, collection, d, keys)
			if err != nil {
				return err
			}
			fmt.Fprintf(&out, "%s %s seq %d\n", collection, d.ID, d.Seq)
			if err := json.Indent(&out, body, "", "  "); err != nil {
				return err
			}
			out.WriteString("\n\n")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// A body that cannot be opened (damaged, or its key destroyed) stops nothing:
// the entry is there, without preview and search text.
func TestUnreadableBodyStopsNothing(t *testing.T) {
	t.Parallel()
	store, keys := openStore(t), crypt.NewMemory()
	h := historytest.New(1, keys)
	c := h.Meet(t, channel.Address{Kind: "email", Address: "ada@example.org"}, "s", "first words")
	conv := c.Conversations[0]
	unit := event.UnitKey(conv.ID, c.Handles[0].ID, 1)
	h.Do(t, c, "customer", event.MessageReceived{
		Message: "damaged", Conversation: conv.ID, Handle: c.Handles[0].ID, Tenure: 1, Channel: "email", Inbox: "support",
		Unit: unit, Body: crypt.Sealed{Key: unit, Box: []byte("not a box of ours")},
	})
	h.Say(t, c, conv, c.Handles[0], "last words")
	p, err := readmodel.NewProjector(t.Context(), store, keys, codec.Decode, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	commits, err := h.Store.Read(t.Context(), 0, 1, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range commits {
		if err := p.Apply(t.Context(), 0, []eventstore.Commit{k}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Get(t.Context(), p.Names().Timeline, "damaged"); err != nil {
		t.Fatal(err)
	}
	hits, err := store.Search(t.Context(), p.Names().Search, docstore.SearchQuery{Words: "words", Limit: 10})
	if err != nil || len(hits) != 2 {
		t.Fatalf("%d hits, %v", len(hits), err)
	}
}
