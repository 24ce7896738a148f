package canary

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/services/hub/hubtest"
)

// TestLaw09AMovedAddressIsKnownAfterARestore: what somebody wrote before his
// address became another's stays with him. When he is erased and an older copy
// is restored with the newer ledger, neither he nor his mail, which comes
// again, is with its new owner.
func TestLaw09AMovedAddressIsKnownAfterARestore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	search := hubtest.NewCanaries(word(cText))
	address := "shared@example.org"
	mail := "From: First <" + address + ">\nTo: support@shop.test\nSubject: before\nMessage-ID: <moved-1@example.org>\nDate: " +
		time.Now().UTC().Add(-time.Hour).Format(time.RFC1123Z) + "\n\nMy secret is " + word(cText) + ".\n"
	owner := func() string {
		return str(r.until("the owner", "FindCustomer", `{"handle":{"kind":"email","address":"`+address+`"}}`, func(v map[string]any) bool {
			return str(v, "customer", "id") != ""
		}), "customer", "id")
	}
	r.mustStart()
	r.deliver(mail)
	first := owner()
	person := r.call("GetPerson", `{"customerId":"`+first+`"}`)
	handle := handleIn(person, address)
	if handle == "" {
		t.Fatalf("no handle of %s in %s", address, text(person))
	}
	now := time.Now().UTC().Format(time.RFC3339Nano)
	preview := r.call("PreviewMove", `{"handleId":"`+handle+`","validFrom":"`+now+`"}`)
	second := str(r.call("MoveHandle", `{"handleId":"`+handle+`","validFrom":"`+now+`","token":"`+str(preview, "token")+`"}`), "customerId")
	if second == "" || second == first {
		t.Fatalf("the address went to %q", second)
	}
	r.deliver("From: Second <" + address + ">\nTo: support@shop.test\nSubject: after\nMessage-ID: <moved-2@example.org>\n\nI am the new one.\n")
	newcomer := func() string { return text(r.call("GetTimeline", `{"customerId":"`+second+`","pageSize":100}`)) }
	r.until("the new owner's mail", "GetTimeline", `{"customerId":"`+second+`"}`, func(v map[string]any) bool {
		return strings.Contains(text(v), "I am the new one.")
	})
	if strings.Contains(newcomer(), word(cText)) {
		t.Fatal("the new owner is shown what the first one wrote")
	}
	before := filepath.Join(r.dir, "before")
	stale := filepath.Join(t.TempDir(), "stale")
	r.command("backup", "-data", r.data, before)
	copyTree(t, before, stale)

	erase := r.call("PreviewErasure", `{"customerIds":["`+first+`"]}`)
	id := str(r.call("Erase", `{"customerIds":["`+first+`"],"token":"`+str(erase, "token")+`"}`), "erasure", "id")
	r.until("the end of the erasure", "GetErasure", `{"eraseId":"`+id+`"}`, func(v map[string]any) bool { return str(v, "erasure", "state") == "done" })
	r.stop()
	ledger := filepath.Join(r.data, "erasures.jsonl")
	r.data = filepath.Join(r.dir, "restored")
	r.command("restore", "-data", r.data, stale, "-erasures", ledger)
	r.mustStart()
	r.deliver(mail)
	r.deliver("From: Last <last@example.org>\nTo: support@shop.test\nSubject: last\nMessage-ID: <moved-3@example.org>\n\nI come last.\n")
	r.until("the mail behind it", "FindCustomer", `{"handle":{"kind":"email","address":"last@example.org"}}`, func(v map[string]any) bool {
		return str(v, "customer", "id") != ""
	})
	if now := owner(); now != second {
		t.Errorf("the address is %s's, want %s's", now, second)
	}
	shown := newcomer()
	if strings.Contains(shown, word(cText)) || !strings.Contains(shown, "I am the new one.") || strings.Count(shown, `"message":`) != 1 {
		t.Errorf("the new owner's timeline: %s", shown)
	}
	r.verify()
	r.stop()
	nothing(t, search, "restored", r.data)
}

// handleIn finds the id of an address among a person's handles.
func handleIn(v any, address string) string {
	switch v := v.(type) {
	case map[string]any:
		if strings.Contains(text(v["address"]), address) || strings.Contains(text(v["handle"]), address) {
			for _, key := range []string{"id", "handleId"} {
				if id, ok := v[key].(string); ok {
					return id
				}
			}
		}
		for _, next := range v {
			if id := handleIn(next, address); id != "" {
				return id
			}
		}
	case []any:
		for _, next := range v {
			if id := handleIn(next, address); id != "" {
				return id
			}
		}
	}
	return ""
}
