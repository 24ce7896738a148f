package conversation

import (
	"context"
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/natsbus/natsbustest"
)

// TestWhatCanNeverBeSentHasFailed: it is no error, which the policy would try
// again for ever, with all replies of the partition behind it.
func TestWhatCanNeverBeSentHasFailed(t *testing.T) {
	t.Parallel()
	_, bus := natsbustest.Start(t, t.TempDir())
	var told []channel.Receipt
	s := sender{bus, crypt.NewMemory(), func(_ context.Context, r channel.Receipt) error {
		told = append(told, r)
		return nil
	}}
	out := channel.Outbound{ID: "r1", Channel: "email", Inbox: "support", Customer: "c1", Attempt: 2, Content: channel.Content{Text: strings.Repeat("x", 1<<20)}}
	if err := s.Publish(t.Context(), "unit/1", out); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0].State != channel.StateFailed || told[0].Outbound != "r1" || told[0].Customer != "c1" || told[0].Attempt != 2 || !strings.Contains(told[0].Detail, "limit is 1024000") {
		t.Errorf("told %+v", told)
	}
	// What is wrong with us stays an error.
	out.Content.Text, out.Inbox = "x", "not a token"
	if err := s.Publish(t.Context(), "unit/1", out); err == nil || len(told) != 1 {
		t.Error(err, told)
	}
}
