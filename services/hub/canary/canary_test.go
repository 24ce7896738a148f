package canary

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/weftline/weftline/services/hub/hubtest"
)

func ctxOf(r *rig) (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.t.Context(), patience)
}

// steps are where the hub dies on the way, in the order it comes to them.
var steps = []string{
	"requested", "fence:", "fenced", "release:", "released", "planned", "ledger", "keys:", "tombstone:", "shredded",
	"settled", "part", "forgotten", "queues", "cleaned", "handles", "stream:", "scrubbed", "purged", "done",
}

// TestLaw09NothingIsLeft: after an erasure that was killed at every step, no
// byte of the person is anywhere, nobody else's is harmed, and neither
// redelivery nor a restore brings anything back.
func TestLaw09NothingIsLeft(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	search := hubtest.NewCanaries(words()...)
	theSearchIsNotBlind(t, search)
	r.mustStart()
	p := r.plant()
	r.findable(p)
	before := filepath.Join(r.dir, "before")
	r.command("backup", "-data", r.data, before)
	r.held(p)
	stale := filepath.Join(t.TempDir(), "stale") // a copy of the backup that the hub does not know of
	copyTree(t, before, stale)

	preview := r.call("PreviewErasure", `{"customerIds":["`+p.customer+`"]}`)
	if s := text(preview); !strings.Contains(s, p.address) || !strings.Contains(s, `"claimed_through"`) {
		t.Fatalf("the preview does not show what is erased: %s", s)
	}
	token := str(preview, "token")
	r.stop()
	if finds, err := search.In(r.data); err != nil || len(finds) == 0 {
		t.Fatalf("before the erasure the search finds nothing in the data: %v", err)
	}
	r.eraseKilled(p, token)

	// Mails that come again bring nothing back.
	for _, m := range p.mails {
		r.deliver(m)
	}
	r.deliver("From: Last <last@example.org>\nTo: support@shop.test\nSubject: after them\nMessage-ID: <last@example.org>\n\nI come last.\n")
	r.until("the mail behind them", "FindCustomer", `{"handle":{"kind":"email","address":"last@example.org"}}`, func(v map[string]any) bool {
		return str(v, "customer", "id") != ""
	})
	r.gone(p)
	after := filepath.Join(r.dir, "after")
	r.command("backup", "-data", r.data, after)
	r.verify()
	r.command("rebuild", "-data", r.data)
	r.verify()
	r.gone(p)
	r.stop()
	mirror := filepath.Join(t.TempDir(), "mirror")
	copyTree(t, r.data, mirror)
	for what, dir := range map[string]string{
		"data": r.data, "mirror": mirror, "backup before": before, "backup after": after, "log": logDir(t, r),
	} {
		nothing(t, search, what, dir)
	}

	ledger := filepath.Join(r.data, "erasures.jsonl")
	for what, from := range map[string][]string{
		"restored from the backup before": {before}, "restored from the backup after": {after},
		"restored from an unknown copy of the backup before": {stale, "-erasures", ledger},
	} {
		r.data = filepath.Join(r.dir, strings.ReplaceAll(what, " ", "-"))
		r.command(append([]string{"restore", "-data", r.data}, from...)...)
		r.mustStart()
		r.gone(p)
		r.deliver(p.mails[0])
		r.verify()
		r.gone(p)
		r.stop()
		nothing(t, search, what, r.data)
	}
}

// findable: what was planted is there, so that it can be gone.
func (r *rig) findable(p planted) {
	r.t.Helper()
	var all strings.Builder
	timeline := r.call("GetTimeline", `{"customerId":"`+p.customer+`","pageSize":200}`)
	all.WriteString(text(timeline))
	all.WriteString(text(r.call("GetDraft", fmt.Sprintf(`{"conversationId":%q,"kind":"reply"}`, p.conversation))))
	for _, e := range timeline["entries"].([]any) {
		m, _ := e.(map[string]any)["message"].(map[string]any)
		files, _ := m["attachments"].([]any)
		for _, f := range files {
			_, b, err := r.caller.Get(r.t.Context(), r.url+"/attachments/"+str(f.(map[string]any), "id"))
			if err != nil {
				r.t.Fatal(err)
			}
			all.Write(b)
		}
		if o, _ := m["original"].(string); o != "" {
			_, b, err := r.caller.Get(r.t.Context(), r.url+"/originals/"+o)
			if err != nil {
				r.t.Fatal(err)
			}
			all.Write(b)
		}
	}
	for n := range cHold {
		if !strings.Contains(all.String(), word(n)) {
			r.t.Errorf("canary %d cannot be seen before the erasure", n)
		}
	}
	if r.t.Failed() {
		r.t.FailNow()
	}
}

// held: a legal hold forbids it, and is seen.
func (r *rig) held(p planted) {
	r.t.Helper()
	hold := str(r.call("PlaceHold", fmt.Sprintf(`{"customerId":%q,"reason":%q}`, p.customer, "court: "+word(cHold))), "holdId")
	preview := r.call("PreviewErasure", `{"customerIds":["`+p.customer+`"]}`)
	if !strings.Contains(text(preview), word(cHold)) || str(preview, "refused") == "" {
		r.t.Fatalf("the hold is not in the preview: %s", text(preview))
	}
	_, err := r.try("Erase", fmt.Sprintf(`{"customerIds":[%q],"token":%q}`, p.customer, str(preview, "token")))
	if err == nil || !strings.Contains(err.Error(), "failed_precondition") {
		r.t.Fatalf("erased under a hold: %v", err)
	}
	r.call("LiftHold", fmt.Sprintf(`{"customerId":%q,"holdId":%q}`, p.customer, hold))
	_, err = r.try("Erase", fmt.Sprintf(`{"customerIds":[%q],"token":%q}`, p.customer, str(preview, "token")))
	if err == nil || !strings.Contains(err.Error(), "PreviewStale") {
		r.t.Fatalf("erased by a stale preview: %v", err)
	}
}

// eraseKilled orders the erasure and lets the hub die at every step of it.
func (r *rig) eraseKilled(p planted, token string) {
	r.t.Helper()
	order := fmt.Sprintf(`{"customerIds":[%q],"token":%q,"idempotencyKey":"it"}`, p.customer, token)
	for i, at := range steps {
		if err := r.start(at); err != nil {
			continue // it died before it was ready: killed at its step all the same
		}
		if i == 0 {
			_, _ = r.try("Erase", order) // dies on the way
		}
		ctx, cancel := ctxOf(r)
		if err := r.hub.Ended(ctx); err != nil {
			r.t.Fatalf("killed at %s: %v", at, err)
		}
		cancel()
		r.hub = nil
	}
	r.mustStart()
	again := r.call("Erase", order)
	if id := str(again, "erasure", "id"); id == "" {
		r.t.Fatalf("the same order is another one: %s", text(again))
	}
	r.until("the end of the erasure", "GetErasure", `{"eraseId":"`+str(again, "erasure", "id")+`"}`, func(v map[string]any) bool {
		return str(v, "erasure", "state") == "done"
	})
}

// gone: nothing of him is shown, and others are.
func (r *rig) gone(p planted) {
	r.t.Helper()
	r.until("the erased stub", "FindCustomer", `{"customerId":"`+p.customer+`"}`, func(v map[string]any) bool {
		return strings.Contains(text(v), `"erased":true`)
	})
	if v, err := r.try("FindCustomer", `{"handle":{"kind":"email","address":"`+p.address+`"}}`); err == nil {
		r.t.Fatalf("the address is somebody's: %s", text(v))
	}
	timeline := text(r.call("GetTimeline", `{"customerId":"`+p.customer+`","pageSize":200}`))
	if !strings.Contains(timeline, `"verb":"erased"`) {
		r.t.Errorf("his timeline does not say that he was erased: %s", timeline)
	}
	shown := timeline + text(r.call("ListConversations", `{"status":"STATUS_OPEN"}`)) + text(r.call("ListCustomers", `{}`))
	for n := range cLast {
		shown += text(r.call("Search", `{"query":"`+word(n)+`"}`))
	}
	for n := range cLast {
		if strings.Contains(shown, word(n)) {
			r.t.Errorf("canary %d is shown", n)
		}
	}
	if other := text(r.call("GetTimeline", `{"customerId":"`+p.stranger+`"}`)); !strings.Contains(other, "I am somebody else.") {
		r.t.Errorf("somebody else's message is gone: %s", other)
	}
	if r.t.Failed() {
		r.t.FailNow()
	}
}

func nothing(t *testing.T, search *hubtest.Canaries, what, dir string) {
	t.Helper()
	finds, err := search.In(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range finds {
		if i < 20 {
			t.Errorf("%s: %s is in %s as %s", what, f.Canary, f.File, f.As)
		}
	}
	if len(finds) > 0 {
		t.Fatalf("%s: %d finds", what, len(finds))
	}
}

// logDir is a directory with the hub's log alone.
func logDir(t *testing.T, r *rig) string {
	t.Helper()
	dir := t.TempDir()
	b, err := os.ReadFile(filepath.Join(r.dir, "hub.log"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "hub.log"), b, 0o600)
	}
	if err != nil || len(b) == 0 {
		t.Fatalf("no log: %v", err)
	}
	return dir
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-r", from, to).CombinedOutput(); err != nil {
		t.Fatalf("copy: %v %s", err, out)
	}
}

// theSearchIsNotBlind: it finds a canary in every disguise.
func theSearchIsNotBlind(t *testing.T, search *hubtest.Canaries) {
	t.Helper()
	w := word(cText)
	var u16 []byte
	for _, u := range utf16.Encode([]rune(w)) {
		u16 = append(u16, byte(u), byte(u>>8))
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, "inside "+w)
	z.Close()
	for what, b := range map[string][]byte{
		"plain": []byte("x" + strings.ToUpper(w)), "UTF-16LE": u16, "hex": []byte(hex.EncodeToString([]byte(w))),
		"base64+0": []byte(base64.StdEncoding.EncodeToString([]byte(w + "!"))),
		"base64+1": []byte(base64.StdEncoding.EncodeToString([]byte("a" + w + "!"))),
		"base64+2": []byte(base64.URLEncoding.EncodeToString([]byte("ab" + w + "?"))),
		"gzip":     append([]byte("front"), packed.Bytes()...),
	} {
		if len(search.Bytes("control", append([]byte("before "), b...))) == 0 {
			t.Fatalf("the search is blind for %s", what)
		}
	}
	if finds := search.Bytes("control", []byte("nothing of the kind")); len(finds) > 0 {
		t.Fatalf("the search sees ghosts: %v", finds)
	}
}
