package chat

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go"

	"github.com/weftline/weftline/pkg/subject"
)

// typingEvery is the least time between two typing signals of one visitor.
const typingEvery = time.Second

type typingSignal struct {
	Typing bool   `json:"typing"`
	Name   string `json:"name,omitempty"`
}

func typingSubject(direction, handleID string) string {
	return "live." + subject.DefaultTenant + ".typing." + direction + "." + handleID
}

// typing tells agents that the visitor types. It is lost when nobody listens.
func (s *session) typing(on bool) {
	if s.a.d.NC == nil {
		return
	}
	now := s.a.d.Now()
	s.mu.Lock()
	if on && now.Sub(s.lastType) < typingEvery {
		s.mu.Unlock()
		return
	}
	s.lastType = now
	s.mu.Unlock()
	sig := typingSignal{Typing: on}
	if s.login != nil {
		sig.Name = s.login.Name
	}
	b, _ := json.Marshal(sig)
	if err := s.a.d.NC.Publish(typingSubject("in", s.handleID), b); err != nil {
		s.a.log.Debug("typing not published", "inbox", s.inbox, "error", err)
	}
}

// followTyping shows visitors that an agent types.
func (a *Adapter) followTyping() (stop func(), err error) {
	if a.d.NC == nil {
		return func() {}, nil
	}
	sub, err := a.d.NC.Subscribe(typingSubject("out", "*"), func(m *nats.Msg) {
		var sig typingSignal
		if len(m.Data) > 1024 || json.Unmarshal(m.Data, &sig) != nil || utf8.RuneCountInString(sig.Name) > 120 {
			return
		}
		handleID := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
		for _, s := range a.rooms.of(handleID) {
			s.drop(typingFrame{Type: "typing", Typing: sig.Typing, Name: sig.Name})
		}
	})
	if err != nil {
		return nil, fmt.Errorf("follow typing of agents: %w", err)
	}
	return func() { sub.Unsubscribe() }, nil
}
