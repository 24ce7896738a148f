package historytest

import (
	"fmt"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Fill writes a plain history: n customers, each with a message, a reply that
// was sent, a note, and every third conversation closed.
func (h *History) Fill(t TB, n int) {
	t.Helper()
	for i := range n {
		id := h.ID("p")
		c := h.Meet(t, channel.Address{Kind: "email", Address: id + "@example.org", Name: "Person " + id}, "order "+id, "where is my parcel "+id)
		conv := c.Conversations[0]
		reply, _ := h.Reply(t, c, conv, "ada", "it is on its way "+id)
		h.Progress(t, c, conv, reply, "sent")
		h.Note(t, c, conv, "bob", fmt.Sprintf("called the carrier, case %d", i))
		if i%3 == 0 {
			conv.Status = "closed"
			h.Do(t, c, "ada", event.ConversationClosed{Conversation: conv.ID})
		}
	}
}
