//go:build rig

package slack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
)

// TestRigSlackWebAPI: Slack's own SDK finds our fake to be the Web API it knows,
// from conversations.open to a file in a thread; the adapter works with the same
// fake, beside it, and does not take the SDK's marks for its own. Slack itself was not there.
func TestRigSlackWebAPI(t *testing.T) {
	dir := os.Getenv("WEFTLINE_RIG_SLACK")
	if dir == "" {
		dir = t.TempDir()
	}
	a := start(t, &channeltest.Intake{}, nil)
	const thread = "1764235200.000200"
	question, err := json.Marshal(map[string]any{"api": a.URL + "/api/", "token": otherToken, "user": ada, "thread": thread, "text": "from the SDK &amp; 👋", "file": "a file"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // npm may have to install first
	defer cancel()
	cmd := exec.CommandContext(ctx, "../../deploy/rig/start-slack.sh", dir)
	var log bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(question), &log
	answered, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, log.String())
	}
	var got struct {
		Bot, Name, Channel, Posted, Refused string
		Found, Reply                        int
		Uploaded                            bool
	}
	if err := json.Unmarshal(answered, &got); err != nil {
		t.Fatalf("%v: %s", err, answered)
	}
	if got.Bot != botUser || got.Name != "Ada" || got.Channel != adaDM || got.Posted == "" || got.Found != 1 || got.Reply != 1 || !got.Uploaded || got.Refused != "invalid_auth" {
		t.Errorf("the SDK got %s", answered)
	}
	out := outbound(channeltest.Subject{})
	out.ID, out.Content.Text = "of the SDK", "from the hub"
	if r, err := a.adapter.Look(t.Context(), out); err != nil || r.State != "" {
		t.Errorf("another program's message is taken for ours: %+v, %v", r, err)
	}
	if r, err := a.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateSent {
		t.Errorf("%+v, %v", r, err)
	}
	if shown := a.Shown(); !slices.Equal(shown, []string{"from the SDK & 👋", "below", "from the hub"}) {
		t.Errorf("people see %q", shown)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if all := a.said["C0HELP"]; len(all) != 2 || !slices.Equal(all[1].files, []string{"sdk.txt=a file"}) {
		t.Errorf("%+v", all)
	}
}
