package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/gorilla/websocket"
	"github.com/rogpeppe/go-internal/testscript"
	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

// desk is an agent's open console: its websocket.
type desk struct {
	ws     *websocket.Conn
	reader sync.WaitGroup
	mu     sync.Mutex
	types  map[string]bool // conversations whose customers do
	looked map[string]bool // and at which somebody looks
}

// cmdTypes is who types where:
//
//	types @NAME on|off             an agent types in the composer of $CONVERSATION, or no more
//	types @NAME sees on|off        waits until he is shown that the customer of it types
//	types got PROVIDER ADDRESS RE  waits until what a customer was shown, separated by spaces, matches:
//	                               typing of telegram, typing_on and typing_off of meta
func cmdTypes(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	switch {
	case neg:
		ts.Fatalf("types cannot be negated")
	case len(args) == 2:
		d := w.deskOf(ts, args[0])
		frame, err := json.Marshal(map[string]any{"watch": map[string]any{"conversationId": ts.Getenv("CONVERSATION"), "typing": args[1] == "on"}})
		ts.Check(err)
		ts.Check(d.ws.WriteMessage(websocket.TextMessage, frame))
		w.poll(ts, func(context.Context) bool {
			d.mu.Lock()
			defer d.mu.Unlock()
			return d.looked[ts.Getenv("CONVERSATION")]
		}, func() { w.fail(ts, "%s is not shown that he looks at the conversation", args[0]) })
	case len(args) == 3 && args[1] == "sees":
		d := w.deskOf(ts, args[0])
		w.poll(ts, func(context.Context) bool {
			d.mu.Lock()
			defer d.mu.Unlock()
			return d.types[ts.Getenv("CONVERSATION")] == (args[2] == "on")
		}, func() { w.fail(ts, "%s does not see it", args[0]) })
	case len(args) == 4 && args[0] == "got":
		have := ""
		w.poll(ts, func(context.Context) bool {
			have = strings.Join(w.shownTyping(ts, args[1], args[2]), " ")
			return matches(have, "~"+args[3])
		}, func() { w.fail(ts, "%s showed %s %q, wanted %q", args[1], args[2], have, args[3]) })
	default:
		ts.Fatalf("usage: types @NAME on|off | @NAME sees on|off | got PROVIDER ADDRESS RE")
	}
}

func (w *world) shownTyping(ts *testscript.TestScript, provider, address string) (shown []string) {
	switch provider {
	case "telegram":
		w.bot.mu.Lock()
		defer w.bot.mu.Unlock()
		for _, a := range w.bot.actions {
			if at(a, "chat_id") == address {
				shown = append(shown, at(a, "action"))
			}
		}
	case "meta":
		w.graph.mu.Lock()
		defer w.graph.mu.Unlock()
		for _, a := range w.graph.actions {
			if at(a, "recipient.id") == address {
				shown = append(shown, at(a, "sender_action"))
			}
		}
	default:
		ts.Fatalf("types got: no provider %q", provider)
	}
	return shown
}

// deskOf opens an agent's console once.
func (w *world) deskOf(ts *testscript.TestScript, name string) *desk {
	if d := w.desks[name]; d != nil {
		return d
	}
	c, _ := w.caller(ts, []string{name})
	ctx, cancel := within()
	defer cancel()
	status, answer, err := c.Post(ctx, w.url+"/api/ticket", "application/json", nil)
	ts.Check(err)
	var got struct{ Ticket string }
	if status != http.StatusOK || json.Unmarshal(answer, &got) != nil {
		w.fail(ts, "ticket: %d %s", status, answer)
	}
	ws, _, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(w.url, "http")+"/ws", http.Header{"Origin": {w.url}})
	ts.Check(err)
	ts.Check(ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"hello":{"ticket":%q}}`, got.Ticket)))
	d := &desk{ws: ws, types: map[string]bool{}, looked: map[string]bool{}}
	d.reader.Go(d.read)
	ts.Defer(func() {
		ws.Close()
		d.reader.Wait()
	})
	if w.desks == nil {
		w.desks = map[string]*desk{}
	}
	w.desks[name] = d
	return d
}

func (d *desk) read() {
	for {
		_, b, err := d.ws.ReadMessage()
		if err != nil {
			return
		}
		var f realtimev1.ServerFrame
		if (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, &f) != nil {
			return
		}
		if p := f.GetPresence(); p != nil {
			d.mu.Lock()
			d.types[p.GetConversationId()], d.looked[p.GetConversationId()] = p.GetCustomerTyping(), len(p.GetViewers()) > 0
			d.mu.Unlock()
		}
	}
}
