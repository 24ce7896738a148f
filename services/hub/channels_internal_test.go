package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/services/email"
)

// listed are the channels whose signs and names the web app's tests ask for.
const listed = "../console/web/test/channels.json"

// TestEveryChannelIsIntroduced: whoever adds an inbox reads what the channel is and
// needs, whatever the channel, and sees its sign; a new one cannot be forgotten.
func TestEveryChannelIsIntroduced(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(listed)
	if err != nil {
		t.Fatal(err)
	}
	var want, have []string
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	for _, c := range channels(nil, nil, email.ChannelDeps{}) {
		have = append(have, c.Name)
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if !strings.HasSuffix(c.About, ".") || len(c.Needs) == 0 {
				t.Errorf("about %q, needs %q: both are wanted, the first a sentence", c.About, c.Needs)
			}
			if c.Name != "chat" && (c.Steps == nil || c.Recipient == nil || c.Recipient.Kind == "" || c.Recipient.Label == "" || c.Recipient.Help == "") {
				t.Error("its live test has no steps, or nobody can be sent a test message")
			}
			if r := c.Recipient; r != nil && r.Form != nil && !r.Form.MatchString(r.Such) {
				t.Errorf("the address of a test message: %q is to look like one, and does not match", r.Such)
			}
			for _, p := range c.Paste {
				if p.What == "" || p.Where == "" {
					t.Errorf("to be entered at the provider: %+v says not what, or not where", p)
				}
			}
			for _, s := range c.Settings {
				if s.Label == "" || s.Required && s.Help == "" {
					t.Errorf("%s: label %q, help %q", s.Key, s.Label, s.Help)
				}
			}
		})
	}
	slices.Sort(have)
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("%s lacks a channel, or has one that is none (-listed +there):\n%s", listed, d)
	}
}
