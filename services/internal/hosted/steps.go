package hosted

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/docstore"
)

const colSteps = "hosted_steps"

// Refusal is what a provider, or a limit of it, refuses for good, in words for agents.
type Refusal struct{ Detail string }

func (e *Refusal) Error() string { return e.Detail }

// Steps remembers how far a message that goes out in several calls (pieces of
// a text, files) has come, so that a retry goes on where it stopped instead of
// showing the first pieces again. With Deps.State it outlives the process. Safe
// for concurrent use with different messages.
type Steps struct {
	channel string
	state   docstore.Store
	log     *slog.Logger

	mu       sync.Mutex
	declared bool
	memory   map[string][]string
}

// NewSteps makes one for a channel.
func NewSteps(d Deps, channelName string) *Steps {
	return &Steps{channel: channelName, state: d.State, log: d.WithDefaults().Log, memory: map[string][]string{}}
}

// Send makes those of n calls that were not made yet, in order, and ends at the
// first error. A call gives the provider's id of what it sent.
func (s *Steps) Send(ctx context.Context, out channel.Outbound, n int, call func(ctx context.Context, i int) (string, error)) ([]string, error) {
	if n == 1 {
		id, err := call(ctx, 0)
		if err != nil {
			return nil, err
		}
		return []string{id}, nil
	}
	key := s.channel + "." + out.Inbox + "." + out.ID
	ids, err := s.load(ctx, key)
	if err != nil {
		return nil, err
	}
	ids = ids[:min(len(ids), n)]
	for i := len(ids); i < n; i++ {
		id, err := call(ctx, i)
		if err != nil {
			return ids, err
		}
		ids = append(ids, id)
		s.save(ctx, key, ids, i == n-1)
	}
	return ids, nil
}

// Found notes that the first calls of a message were made, where a look at the
// provider has shown what they sent: the next Send goes on behind them.
func (s *Steps) Found(ctx context.Context, out channel.Outbound, ids []string) {
	s.save(ctx, s.channel+"."+out.Inbox+"."+out.ID, ids, false)
}

func (s *Steps) load(ctx context.Context, key string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ids, ok := s.memory[key]; ok || s.state == nil {
		return append([]string(nil), ids...), nil
	}
	if !s.declared {
		if err := s.state.Declare(ctx, docstore.Collection{Name: colSteps}); err != nil {
			return nil, fmt.Errorf("declare steps of a send: %w", err)
		}
		s.declared = true
	}
	d, err := s.state.Get(ctx, colSteps, key)
	if errors.Is(err, docstore.ErrNotFound) {
		return nil, nil
	}
	var kept struct {
		IDs []string `json:"ids"`
	}
	if err == nil {
		err = json.Unmarshal(d.JSON, &kept)
	}
	if err != nil {
		return nil, fmt.Errorf("load steps of a send: %w", err)
	}
	return kept.IDs, nil
}

// save keeps the ids, or forgets them when the message is whole. What cannot be
// written is remembered here: the call was made, and saying otherwise would make it twice.
func (s *Steps) save(ctx context.Context, key string, ids []string, whole bool) {
	s.mu.Lock()
	s.memory[key] = append([]string(nil), ids...)
	if whole {
		delete(s.memory, key)
	}
	s.mu.Unlock()
	if s.state == nil {
		return
	}
	b, err := json.Marshal(map[string][]string{"ids": ids})
	if err == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = s.state.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{Collection: colSteps, Doc: docstore.Doc{ID: key, JSON: b}, Delete: whole}}})
	}
	if err != nil {
		s.log.Warn("steps of a send could not be kept", "channel", s.channel, "error", err)
	}
}

// Ended is the receipt of what Steps.Send did: sent under the first id, failed
// with the words of a Refusal, unknown; other errors are temporary and pass.
func Ended(out channel.Outbound, now time.Time, ids []string, n int, err error) (channel.Receipt, error) {
	if no, ok := errors.AsType[*Refusal](err); ok {
		detail := no.Detail
		if len(ids) > 0 {
			detail = fmt.Sprintf("%d of %d parts went out, then: %s", len(ids), n, detail)
		}
		return Failed(out, now, detail)
	}
	first := ""
	if len(ids) > 0 {
		first = ids[0]
	}
	return Result(out, now, first, err)
}
