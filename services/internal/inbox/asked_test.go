package inbox_test

import (
	"testing"

	"github.com/weftline/weftline/services/internal/inbox"
)

// TestAskedFollowsTheChain: what hangs on a setting that is not asked for is not asked for, whatever that setting holds.
func TestAskedFollowsTheChain(t *testing.T) {
	t.Parallel()
	topic := inbox.When{Key: "provider", Is: []string{"ses"}}
	c := inbox.Channel{Settings: []inbox.Setting{
		{Key: "receive"},
		{Key: "provider", When: inbox.When{Key: "receive", Is: []string{"webhook"}}},
		{Key: "topic", When: topic},
		{Key: "self", When: inbox.When{Key: "self", Is: []string{"on"}}},
	}}
	for name, one := range map[string]struct {
		have bool
		want bool
	}{
		"both hold":           {c.Asked(topic, map[string]string{"receive": "webhook", "provider": "ses"}), true},
		"another provider":    {c.Asked(topic, map[string]string{"receive": "webhook", "provider": "mailgun"}), false},
		"left from before":    {c.Asked(topic, map[string]string{"receive": "imap", "provider": "ses"}), false},
		"no condition":        {c.Asked(inbox.When{}, nil), true},
		"hangs on itself":     {c.Asked(inbox.When{Key: "self", Is: []string{"on"}}, map[string]string{"self": "on"}), true},
		"hangs on no setting": {c.Asked(inbox.When{Key: "gone", Is: []string{"on"}}, map[string]string{"gone": "on"}), true},
	} {
		if one.have != one.want {
			t.Errorf("%s: %v", name, one.have)
		}
	}
}
