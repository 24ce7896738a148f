package matrix_test

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/matrix"
)

// stories are told by our fake with Go alone, and by a real homeserver in the rig.
var stories = map[string]func(t *testing.T, d *desk){
	"what was said before we came in": func(t *testing.T, d *desk) {
		room := d.ada.direct(d.bot, nil)
		var events []string
		for _, s := range manyWords(70) { // more than a sync's timeline holds
			events = append(events, d.ada.say(room, s))
		}
		t.Cleanup(d.run())
		d.item(events[len(events)-1])
		var got []string
		for _, raw := range d.intake.Taken() {
			got = append(got, raw.ProviderID)
		}
		for i := range events {
			events[i] = room + "/" + events[i]
		}
		if !reflect.DeepEqual(got, events) {
			t.Errorf("%d events are stored, want the %d that were said, in order", len(got), len(events))
		}
	},
	"a gap while the hub is away": func(t *testing.T, d *desk) {
		stop := d.run()
		room := d.ada.direct(d.bot, nil)
		hostedtest.Wait(t, "the room", func() bool { return d.joined(room, d.bot) })
		d.item(d.ada.say(room, "before"))
		stop()
		var want []string
		for _, s := range manyWords(130) { // more than a page
			want = append(want, room+"/"+d.ada.say(room, s))
		}
		t.Cleanup(d.run())
		hostedtest.Wait(t, "the last", func() bool { _, ok := d.taken(fromRefOf(want[129])); return ok })
		var got []string
		for _, raw := range d.intake.Taken()[1:] {
			if !slices.Contains(got, raw.ProviderID) {
				got = append(got, raw.ProviderID)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d events are stored, want the %d that were said, in order", len(got), len(want))
		}
	},
	"edits, reactions, deletions": func(t *testing.T, d *desk) {
		meet(t, d)
		said := d.ada.say(d.room, "Gren please")
		m := d.item(said).Message
		if m == nil || m.From.Kind != matrix.Name || m.From.Scope != "" || m.From.Address != d.ada.user || m.Assurance != 2 || m.Content.Text != "Gren please" {
			t.Fatalf("%+v", m)
		}
		if c := d.item(d.ada.edit(d.room, said, "Green please")).Change; c == nil || c.Action != channel.Edited || c.Target != m.ID || c.Content.Text != "Green please" {
			t.Errorf("%+v", c)
		}
		reaction := d.ada.react(d.room, said, "👍")
		if c := d.item(reaction).Change; c == nil || c.Action != channel.Reacted || c.Target != m.ID || c.Emoji != "👍" {
			t.Errorf("%+v", c)
		}
		if c := d.item(d.ada.redact(d.room, reaction)).Change; c == nil || c.Action != channel.Unreacted || c.Target != m.ID || c.Emoji != "👍" {
			t.Errorf("%+v", c)
		}
		if c := d.item(d.ada.redact(d.room, said)).Change; c == nil || c.Action != channel.Deleted || c.Target != m.ID {
			t.Errorf("%+v", c)
		}
	},
	"a reaction taken back before it was heard of": func(t *testing.T, d *desk) {
		stop := d.run()
		hostedtest.Wait(t, "desk to be ready", func() bool { return d.inboxes.Health("desk").State == "ok" })
		room := d.ada.direct(d.bot, nil)
		hostedtest.Wait(t, "the invitation to be followed", func() bool { return d.joined(room, d.bot) })
		said := d.ada.say(room, "hello")
		d.item(said)
		stop()
		reaction := d.ada.react(room, said, "👍")
		back := d.ada.redact(room, reaction)
		after := d.ada.say(room, "sorry")
		t.Cleanup(d.run())
		d.item(after)
		for _, id := range []string{reaction, back} {
			if _, ok := d.taken(id); ok {
				t.Errorf("%s is told: nothing is left to tell", id)
			}
		}
	},
	"read": func(t *testing.T, d *desk) {
		meet(t, d)
		for _, id := range []string{"r1", "r2"} {
			out := outboundTo(d.ada.user)
			out.ID, out.Content.Text = id, "answer "+id
			if r, err := d.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateSent {
				t.Fatalf("%+v, %v", r, err)
			}
		}
		all := d.ada.sees(d.room)
		last := all[len(all)-1].ID
		read := func(id string) bool {
			return slices.ContainsFunc(d.reported(), func(r channel.Receipt) bool {
				return r.Outbound == id && r.State == channel.StateRead && r.Inbox == "desk" && !r.At.IsZero()
			})
		}
		d.ada.call(http.MethodPost, "/rooms/"+url.PathEscape(d.room)+"/receipt/m.read/"+url.PathEscape(last), map[string]any{}, nil)
		hostedtest.Wait(t, "both to be read", func() bool { return read("r1") && read("r2") })
	},
	"a third comes in": func(t *testing.T, d *desk) {
		meet(t, d)
		d.ada.call(http.MethodPost, "/rooms/"+url.PathEscape(d.room)+"/invite", map[string]any{"user_id": d.third}, nil)
		hostedtest.Wait(t, "the inbox to leave", func() bool { return !d.joined(d.room, d.bot) })
		if shown := d.ada.shown(d.room); len(shown) != 1 || !strings.Contains(shown[0], "rooms of more than two") {
			t.Errorf("the customer is told %q", shown)
		}
		hostedtest.Wait(t, "health", func() bool { return strings.Contains(d.inboxes.Health("desk").Detail, "more than two") })
		out := outboundTo(d.ada.user)
		out.ID, out.Content.Text = "r1", "still there?"
		if r, err := d.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateFailed || r.Detail == "" {
			t.Errorf("%+v, %v", r, err)
		}
	},
	"an invitation that is not direct": func(t *testing.T, d *desk) {
		t.Cleanup(d.run())
		room := d.ada.direct(d.bot, map[string]any{"is_direct": false, "name": "Everybody"})
		hostedtest.Wait(t, "the invitation to be declined", func() bool { return d.membership(room, d.bot) == "leave" })
		hostedtest.Wait(t, "health", func() bool { return strings.Contains(d.inboxes.Health("desk").Detail, "no direct chat") })
	},
	"an encrypted room": func(t *testing.T, d *desk) {
		t.Cleanup(d.run())
		room := d.ada.direct(d.bot, map[string]any{"initial_state": []any{
			map[string]any{"type": "m.room.encryption", "state_key": "", "content": map[string]any{"algorithm": "m.megolm.v1.aes-sha2"}},
		}})
		hostedtest.Wait(t, "the notice", func() bool { return len(d.ada.shown(room)) == 1 })
		if got := d.ada.shown(room)[0]; !strings.Contains(got, "cannot read encrypted rooms") {
			t.Error(got)
		}
		event := d.ada.send(room, "m.room.encrypted", "", map[string]any{"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgAEnACgAkLmt6q", "device_id": "X", "sender_key": "k", "session_id": "s"})
		m := d.item(event).Message
		if m == nil || m.Content.Unparsed == "" || m.Content.Text != "" || m.From.Address != d.ada.user {
			t.Fatalf("%+v", m)
		}
		out := outboundTo(d.ada.user)
		out.ID, out.Content.Text, out.InReplyTo = "r1", "what?", m.ID
		if r, err := d.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateFailed || !strings.Contains(r.Detail, "encrypted") {
			t.Errorf("%+v, %v", r, err)
		}
		if n := len(d.ada.shown(room)); n != 1 {
			t.Errorf("%d notices", n)
		}
	},
	"answers and threads": func(t *testing.T, d *desk) {
		meet(t, d)
		root := d.ada.say(d.room, "Two things.")
		content := text("The first.")
		content["m.relates_to"] = map[string]any{"rel_type": "m.thread", "event_id": root, "is_falling_back": true, "m.in_reply_to": map[string]any{"event_id": root}}
		in := d.item(d.ada.send(d.room, "m.room.message", "", content)).Message
		if in.Thread != d.room+"/"+root || !reflect.DeepEqual(in.References, []string{d.room + "/" + root}) {
			t.Fatalf("%+v", in)
		}
		out := outboundTo(d.ada.user)
		out.ID, out.Content.Text, out.InReplyTo, out.Thread = "r1", "Yes.", in.ID, in.Thread
		r, err := d.adapter.Send(t.Context(), out)
		if err != nil || r.State != channel.StateSent {
			t.Fatalf("%+v, %v", r, err)
		}
		all := d.ada.sees(d.room)
		last := all[len(all)-1]
		relates, _ := last.Content["m.relates_to"].(map[string]any)
		to, _ := relates["m.in_reply_to"].(map[string]any)
		if d.room+"/"+last.ID != r.ProviderID || relates["rel_type"] != "m.thread" || relates["event_id"] != root || d.room+"/"+to["event_id"].(string) != in.ID {
			t.Errorf("%+v", last)
		}
	},
	"typing": func(t *testing.T, d *desk) {
		meet(t, d)
		to := channel.Address{Kind: matrix.Name, Address: d.ada.user}
		for _, on := range []bool{true, false} {
			if err := d.adapter.Typing(t.Context(), "desk", to, on); err != nil {
				t.Error(err)
			}
		}
	},
	"the customer leaves": func(t *testing.T, d *desk) {
		meet(t, d)
		d.ada.call(http.MethodPost, "/rooms/"+url.PathEscape(d.room)+"/leave", map[string]any{}, nil)
		hostedtest.Wait(t, "the line that says so", func() bool { return len(d.intake.Taken()) == 1 })
		items, err := d.adapter.Parse(d.intake.Taken()[0])
		if err != nil || items[0].Message == nil || !slices.Contains(items[0].Message.Flags, "auto_reply") {
			t.Fatalf("%+v, %v", items, err)
		}
		out := outboundTo(d.ada.user)
		out.ID, out.Content.Text, out.InReplyTo = "r1", "hello?", items[0].Message.ID
		if r, err := d.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateFailed || !strings.Contains(r.Detail, "has left") {
			t.Errorf("%+v, %v", r, err)
		}
	},
}

func TestStoriesFake(t *testing.T) {
	t.Parallel()
	for name, story := range stories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHomeserver(t)
			story(t, prepare(t, fakePlace(h), &channeltest.Intake{}))
		})
	}
}

func manyWords(n int) (all []string) {
	for i := range n {
		all = append(all, strings.Repeat("word ", i%3+1))
	}
	return all
}

func fromRefOf(ref string) string { return ref[strings.Index(ref, "/$")+1:] }

func (d *desk) membership(room, user string) (m string) {
	for _, e := range d.ada.sees(room) {
		if e.Type == "m.room.member" && e.Key != nil && *e.Key == user {
			m, _ = e.Content["membership"].(string)
		}
	}
	return m
}

// reported are the receipts that were stored.
func (d *desk) reported() []channel.Receipt { return d.intake.Reported() }

func deskOf(base, user, password string) inbox.Inbox {
	return inbox.Inbox{ID: "desk", Channel: matrix.Name, Settings: map[string]string{"homeserver": base, "user": user, "password": password}}
}
