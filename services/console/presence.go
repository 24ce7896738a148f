package console

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/weftline/weftline/pkg/channel"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/typing"
)

// presence knows who looks at what and who types. Nothing of it is durable:
// every statement is repeated while it holds and forgotten after its time.
//
// Between processes it travels on core NATS:
//
//	live.<tenant>.viewing             {conversation, agent, socket, name, typing}
//	live.<tenant>.typing.in.<handle>  the customer types (from the chat adapter)
//	live.<tenant>.typing.out.<handle> an agent types (to the chat adapter)
//	live.<tenant>.typing.reply.…      the same to all other adapters (package typing)
type presence struct {
	tenant string
	nc     *nats.Conn
	keys   crypt.Keyring
	now    func() time.Time

	mu      sync.Mutex
	viewers map[string]map[seat]viewer     // by conversation
	handles map[string]map[string]struct{} // handle → conversations watched here
	typing  map[string]time.Time           // conversation → customer typing until
	subs    map[string]map[*socketConn]struct{}
}

// seat is where a viewer looks from: an agent has one in each of his tabs.
type seat struct{ agent, socket string }

type viewer struct {
	Conversation string    `json:"conversation"`
	Agent        string    `json:"agent"`
	Socket       string    `json:"socket,omitempty"`
	Name         string    `json:"name"`
	Typing       bool      `json:"typing"`
	Gone         bool      `json:"gone,omitempty"`
	until        time.Time // local
	// reply is where an answer would go, set when the customer is to be told of Typing.
	reply *inboxv1.ReplyTarget
}

// viewerAge is how long a statement holds unless repeated; clients repeat every 10 s.
const (
	viewerAge         = 25 * time.Second
	customerTypingAge = 6 * time.Second
)

func newPresence(tenant string, nc *nats.Conn, keys crypt.Keyring) *presence {
	return &presence{
		tenant: tenant, nc: nc, keys: keys, now: time.Now,
		viewers: map[string]map[seat]viewer{}, handles: map[string]map[string]struct{}{},
		typing: map[string]time.Time{}, subs: map[string]map[*socketConn]struct{}{},
	}
}

func (p *presence) run(ctx context.Context) error {
	if p.nc != nil {
		a, err := p.nc.Subscribe("live."+p.tenant+".viewing", func(m *nats.Msg) {
			var v viewer
			if json.Unmarshal(m.Data, &v) == nil && v.Conversation != "" && v.Agent != "" {
				p.apply(v)
			}
		})
		if err != nil {
			return err
		}
		defer func() { _ = a.Unsubscribe() }()
		b, err := p.nc.Subscribe("live."+p.tenant+".typing.in.*", func(m *nats.Msg) {
			p.customerTypes(m.Subject[strings.LastIndexByte(m.Subject, '.')+1:], m.Data)
		})
		if err != nil {
			return err
		}
		defer func() { _ = b.Unsubscribe() }()
	}
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			p.sweep()
		}
	}
}

// state says what an agent does now. conversation "" = looks at nothing any more.
func (p *presence) state(v viewer) {
	if p.nc == nil {
		p.apply(v)
		return
	}
	b, err := json.Marshal(v)
	if err != nil {
		return
	}
	// Losing one is harmless, so a failed publish is not worth more than the next repeat.
	_ = p.nc.Publish("live."+p.tenant+".viewing", b)
	if v.reply != nil {
		p.tellCustomer(v)
	}
}

// tellCustomer shows him that an agent types, on the channel that the answer would go out by.
func (p *presence) tellCustomer(v viewer) {
	to := v.reply.GetHandle()
	if v.reply.GetChannel() != widget {
		ctx, cancel := context.WithTimeout(context.Background(), targetTimeout)
		defer cancel()
		_ = typing.Publish(ctx, p.nc, p.keys, p.tenant, v.reply.GetChannel(), v.reply.GetInboxId(), typing.Signal{
			To: channel.Address{Kind: to.GetKind(), Address: to.GetAddress()}, On: v.Typing,
		})
		return
	}
	if t, err := json.Marshal(map[string]any{"typing": v.Typing, "name": v.Name}); err == nil {
		_ = p.nc.Publish("live."+p.tenant+".typing.out."+to.GetId(), t)
	}
}

// widget is the channel that listens by handle itself.
const widget = "chat"

func (p *presence) apply(v viewer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, at := p.viewers[v.Conversation], seat{v.Agent, v.Socket}
	if v.Gone {
		delete(m, at)
		p.tell(v.Conversation)
		return
	}
	if m == nil {
		m = map[seat]viewer{}
		p.viewers[v.Conversation] = m
	}
	old, known := m[at]
	v.until = p.now().Add(viewerAge)
	m[at] = v
	if !known || old.Typing != v.Typing {
		p.tell(v.Conversation)
	}
}

func (p *presence) customerTypes(handle string, data []byte) {
	var t struct{ Typing bool }
	if json.Unmarshal(data, &t) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for conv := range p.handles[handle] {
		_, was := p.typing[conv]
		if t.Typing {
			p.typing[conv] = p.now().Add(customerTypingAge)
		} else {
			delete(p.typing, conv)
		}
		if was != t.Typing {
			p.tell(conv)
		}
	}
}

// watch subscribes a socket to a conversation; handle is where its customer types.
func (p *presence) watch(s *socketConn, conversation, handle string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if conversation == "" {
		return
	}
	if p.subs[conversation] == nil {
		p.subs[conversation] = map[*socketConn]struct{}{}
	}
	p.subs[conversation][s] = struct{}{}
	if handle != "" {
		if p.handles[handle] == nil {
			p.handles[handle] = map[string]struct{}{}
		}
		p.handles[handle][conversation] = struct{}{}
	}
	s.offer(p.frame(conversation))
}

func (p *presence) unwatch(s *socketConn, conversation string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.subs[conversation], s)
	if len(p.subs[conversation]) == 0 {
		delete(p.subs, conversation)
		for h, watched := range p.handles {
			if delete(watched, conversation); len(watched) == 0 {
				delete(p.handles, h)
			}
		}
	}
}

// tell goes to the sockets that watch the conversation, and to all others for the marks in their lists.
func (p *presence) tell(conversation string) {
	f := p.frame(conversation)
	for s := range p.subs[conversation] {
		s.offer(f)
	}
	for s := range p.subs[everything] {
		s.offer(f)
	}
}

// everything is the pseudo conversation every socket watches for marks in lists. It is no id, so nobody can ask for it.
const everything = "*"

func (p *presence) frame(conversation string) *realtimev1.ServerFrame {
	pr := &realtimev1.Presence{ConversationId: conversation}
	shown := map[string]*realtimev1.Presence_Viewer{} // by agent: once, however many tabs he has
	for at, v := range p.viewers[conversation] {
		one := shown[at.agent]
		if one == nil {
			one = &realtimev1.Presence_Viewer{AgentId: v.Agent, Name: v.Name}
			shown[at.agent] = one
			pr.Viewers = append(pr.Viewers, one)
		}
		one.Typing = one.Typing || v.Typing
	}
	_, pr.CustomerTyping = p.typing[conversation]
	return &realtimev1.ServerFrame{Frame: &realtimev1.ServerFrame_Presence{Presence: pr}}
}

func (p *presence) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	for conv, m := range p.viewers {
		changed := false
		for id, v := range m {
			if now.After(v.until) {
				delete(m, id)
				changed = true
			}
		}
		if len(m) == 0 {
			delete(p.viewers, conv)
		}
		if changed {
			p.tell(conv)
		}
	}
	for conv, until := range p.typing {
		if now.After(until) {
			delete(p.typing, conv)
			p.tell(conv)
		}
	}
}
