package law_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// once is law 1: every message taken in is in exactly one MessageReceived, every
// change in one MessageChanged, and every handle has one owner at a time.
func (w *world) once() error {
	where := map[string][]string{}
	attached := map[string]string{}
	claimed := map[string]bool{}
	for _, c := range w.all() {
		for _, e := range c.Events {
			switch e := e.(type) {
			case event.MessageReceived:
				where[e.Message] = append(where[e.Message], c.Stream)
			case event.MessageChanged:
				where[e.Change] = append(where[e.Change], c.Stream)
			case event.HandleAttached:
				key := fmt.Sprintf("%s/%d", e.Handle, e.Tenure)
				if at := attached[key]; at != "" {
					return fmt.Errorf("handle %s is attached to %s and %s", key, at, c.Stream)
				}
				attached[key] = c.Stream
			case event.HandleClaimed:
				key := fmt.Sprintf("%s/%d", c.Stream, e.Tenure)
				if claimed[key] {
					return fmt.Errorf("tenure %s was claimed twice", key)
				}
				claimed[key] = true
			}
		}
	}
	if err := w.fenced(); err != nil {
		return err
	}
	for _, in := range w.inputs {
		for _, id := range in.ids {
			if len(where[id]) != 1 {
				return fmt.Errorf("message of input %s is in %d places: %v", in.raw.ProviderID, len(where[id]), where[id])
			}
		}
	}
	return nil
}

// inOrder is law 2: recorded_at grows in every stream whatever the clocks say; a
// reply follows what it answers, wherever that is stored; nothing is
// said in a conversation that was not opened, or over a handle that was not attached.
func (w *world) inOrder() error {
	last := map[string]time.Time{}
	said := map[string]time.Time{}
	for _, c := range w.all() {
		for _, e := range c.Events {
			if m, ok := e.(event.MessageReceived); ok {
				said[m.Message] = c.At
			}
		}
	}
	opened := map[string]string{}
	attached := map[string]string{}
	for _, c := range w.all() {
		if !c.At.After(last[c.Stream]) {
			return fmt.Errorf("%s: commit %s at %v is not after %v", c.Stream, c.ID, c.At, last[c.Stream])
		}
		last[c.Stream] = c.At
		for _, e := range c.Events {
			switch e := e.(type) {
			case event.ConversationOpened:
				opened[e.Conversation] = c.Stream
			case event.HandleAttached:
				attached[fmt.Sprintf("%s/%d", e.Handle, e.Tenure)] = c.Stream
			case event.HandleDetached:
				delete(attached, fmt.Sprintf("%s/%d", e.Handle, e.Tenure))
			case event.MessageReceived:
				if opened[e.Conversation] != c.Stream {
					return fmt.Errorf("message %s in conversation %s of %q", e.Message, e.Conversation, opened[e.Conversation])
				}
				if key := fmt.Sprintf("%s/%d", e.Handle, e.Tenure); attached[key] != c.Stream {
					return fmt.Errorf("message %s over handle %s of %q", e.Message, key, attached[key])
				}
			case event.MessageChanged:
				if key := fmt.Sprintf("%s/%d", e.Handle, e.Tenure); attached[key] != c.Stream {
					return fmt.Errorf("change %s over handle %s of %q", e.Change, key, attached[key])
				}
			case event.ReplyRequested:
				if opened[e.Conversation] != c.Stream {
					return fmt.Errorf("reply %s in conversation %s of %q", e.Reply, e.Conversation, opened[e.Conversation])
				}
				if at, ok := said[e.Answers]; e.Answers != "" && (!ok || !c.At.After(at)) {
					return fmt.Errorf("reply %s at %v does not follow message %s at %v", e.Reply, c.At, e.Answers, at)
				}
			}
		}
	}
	return nil
}

// twice is law 5: everything comes again, and nothing happens.
func (w *world) twice() error {
	before := len(w.all())
	for _, in := range w.inputs {
		if err := w.settle(w.deliver(in)); err != nil {
			return err
		}
	}
	if n := len(w.all()); n != before {
		return fmt.Errorf("redelivery of inputs: %d commits more, the last is %v", n-before, w.all()[n-1].ID)
	}
	if err := w.view.CatchUp(context.Background()); err != nil {
		return err
	}
	for _, c := range w.commands { // some failed or crashed: now they are done, and at once again
		_ = w.settle(c)
		if strings.HasPrefix(w.made[len(w.made)-1], "handle.") {
			w.resume() // what a move left half done is not the second one's doing
		}
		if c.changed != nil && !*c.changed {
			continue // there was nothing to change
		}
		before = len(w.all())
		_ = w.settle(c)
		if n := len(w.all()); n != before {
			return fmt.Errorf("%s given twice: %d commits more, the last is %s", c.name, n-before, w.made[len(w.made)-1])
		}
	}
	before = len(w.all())
	for _, c := range w.commands {
		if (c.changed == nil || *c.changed) && (c.guessed == nil || !c.guessed()) {
			_ = w.settle(c)
		}
		if n := len(w.all()); n != before {
			return fmt.Errorf("%s repeated: %d commits more", c.name, n-before)
		}
	}
	return nil
}
