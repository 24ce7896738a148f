package history_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/conversation/history"
)

func line(t *testing.T, fields map[string]any) []byte {
	b, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// override turns what follows around: "exe.gpj" reads as "jpg.exe".
const override = "\u202e"

// Tags, values, ids and addresses are refused as at every other door.
func TestWhatTurnsTextAroundIsRefused(t *testing.T) {
	t.Parallel()
	conversation := map[string]any{"type": "conversation", "id": "1", "customer": "c", "inbox": "mail", "channel": "email"}
	customer := map[string]any{"type": "customer", "id": "1"}
	for name, c := range map[string]struct {
		of    map[string]any
		field string
		value any
		said  string
	}{
		"a tag":              {conversation, "tags", []string{"vip" + override}, "tags.0: "},
		"an id":              {conversation, "id", "1" + override, "id: "},
		"an assignee":        {conversation, "assignee", "ada\u2066@x.org", "assignee: "},
		"a value":            {customer, "attributes", map[string]string{"plan": "gold" + override}, "attributes.plan: "},
		"a value's control":  {customer, "attributes", map[string]string{"plan": "gold\x07"}, "attributes.plan: "},
		"an address":         {customer, "handles", []map[string]string{{"kind": "email", "address": "a" + override + "@x.org"}}, "handles.0.address: "},
		"a control, as ever": {conversation, "tags", []string{"a\nb"}, "tags.0: "},
	} {
		record := map[string]any{c.field: c.value}
		for k, v := range c.of {
			if _, set := record[k]; !set {
				record[k] = v
			}
		}
		if _, err := history.Parse(line(t, record)); err == nil || !strings.HasPrefix(err.Error(), c.said) {
			t.Errorf("%s: %v", name, err)
		}
	}
	customer["attributes"] = map[string]string{"address": "1 Street\n2 City", "name": "שלום"}
	if _, err := history.Parse(line(t, customer)); err != nil {
		t.Errorf("lines and right-to-left letters: %v", err)
	}
}

// Names and subjects come from others: as with those that come by mail, what turns text around is taken out.
func TestNamesThatCameInAreCleaned(t *testing.T) {
	t.Parallel()
	r, err := history.Parse(line(t, map[string]any{
		"type": "message", "id": "1", "conversation": "2", "direction": "in", "at": "2024-05-01T10:00:00Z", "author_name": "Ada" + override, "subject": override + "Order\u200f",
		"text": override + "said\x00", "attachments": []map[string]any{{"name": "a" + override + "gpj.exe", "data": "aGk="}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	m := r.Message
	if m.AuthorName != "Ada" || m.Subject != "Order" || m.Attachments[0].Name != "agpj.exe" || m.Text != override+"said" {
		t.Errorf("%q %q %q %q", m.AuthorName, m.Subject, m.Attachments[0].Name, m.Text)
	}
	if r, err = history.Parse(line(t, map[string]any{"type": "customer", "id": "1", "name": override + "Ada"})); err != nil || r.Customer.Name != "Ada" {
		t.Errorf("%+v, %v", r.Customer, err)
	}
}
