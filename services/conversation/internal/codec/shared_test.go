package codec_test

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Whoever asks, and however many were decoded in between, a commit's events are its own.
func TestSharedGivesEachCommitItsOwnEvents(t *testing.T) {
	t.Parallel()
	var shared codec.Shared
	commit := func(partition int, seq uint64) eventstore.Commit {
		tag := string(rune('a' + partition))
		data, err := json.Marshal(event.ConversationTagged{Conversation: tag, Tag: string(rune('a' + seq%26))})
		if err != nil {
			t.Fatal(err)
		}
		return eventstore.Commit{
			ID: tag, Partition: partition, Seq: seq,
			Records: []eventstore.Record{{Type: "conversation.tagged", V: 1, Data: data}},
		}
	}
	var followers sync.WaitGroup
	for range 3 {
		followers.Go(func() {
			for seq := range uint64(2_000) {
				for p := range 2 {
					c := commit(p, seq) // 0 is one that is not stored
					got, err := shared.Decode(c)
					want, _ := codec.Decode(c)
					if err != nil || len(got) != 1 || got[0] != want[0] {
						t.Errorf("commit %d of partition %d: %v, %v", seq, p, got, err)
						return
					}
				}
			}
		})
	}
	followers.Wait()
	bad := commit(0, 7)
	bad.ID, bad.Records[0].Type = "other", "no.such"
	if _, err := shared.Decode(bad); err == nil {
		t.Error("a record that is not known was decoded")
	}
}

// Of two that ask for one commit the second is given what the first was.
func TestSharedDecodesOnce(t *testing.T) {
	t.Parallel()
	var shared codec.Shared
	c := eventstore.Commit{ID: "x", Seq: 3, Records: []eventstore.Record{{
		Type: "conversation.message_received", V: 2, Data: json.RawMessage(`{"message":"m"}`),
	}}}
	first, err := shared.Decode(c)
	if err != nil {
		t.Fatal(err)
	}
	second, err := shared.Decode(c)
	if err != nil || &first[0] != &second[0] {
		t.Errorf("decoded again, %v", err)
	}
}
