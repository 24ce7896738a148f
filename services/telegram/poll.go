package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

const (
	colOffsets = "telegram_offsets"
	// pollSeconds is how long Telegram holds a question without an answer: less
	// than the patience of the hub's client.
	pollSeconds = 20
	// stale: after a week without updates Telegram counts from a random number
	// ("Update", update_id), and an older offset would throw away what is below it.
	stale = 6 * 24 * time.Hour
)

type getUpdates struct {
	Offset  int64    `json:"offset,omitempty"`
	Limit   int      `json:"limit"`
	Timeout int      `json:"timeout"`
	Allowed []string `json:"allowed_updates"`
}

// offset is the update that is wanted next. It moves once everything before it is on disk.
type offset struct {
	Next int64     `json:"next"`
	At   time.Time `json:"at"`
}

// poll asks for updates until ctx ends. Asking with the next offset is the acknowledgement.
func (a *Adapter) poll(ctx context.Context, id string, c config) {
	var at offset
	ok := a.insist(ctx, id, func() (err error) {
		if at, err = a.loadOffset(ctx, id, c); err != nil {
			return err
		}
		// What was not delivered to the webhook waits for us.
		return a.call(ctx, id, c, "deleteWebhook", struct{}{}, nil)
	})
	wait := time.Second
	for ok {
		began := time.Now()
		found, err := a.ask(ctx, id, c, &at)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			a.well(id)
			wait = time.Second
			if !found && time.Since(began) < time.Second { // a gateway that does not hold the question
				ok = hosted.Pause(ctx, time.Second)
			}
			continue
		case errors.Is(err, errConflict) && strings.Contains(err.Error(), "webhook"):
			// Somebody has set one meanwhile.
			err = errors.Join(err, a.call(ctx, id, c, "deleteWebhook", struct{}{}, nil))
		}
		a.trouble(id, err)
		ok = hosted.Pause(ctx, hosted.Patience(err, wait))
		wait = min(2*wait, 5*time.Minute)
	}
}

// ask takes in one answer, if there is any, and moves the offset.
func (a *Adapter) ask(ctx context.Context, id string, c config, at *offset) (found bool, err error) {
	question := getUpdates{Offset: at.Next, Limit: 100, Timeout: pollSeconds, Allowed: allowed}
	if a.now().Sub(at.At) > stale {
		question.Offset = 0
	}
	var updates []json.RawMessage
	if err := a.call(ctx, id, c, "getUpdates", question, &updates); err != nil {
		return false, fmt.Errorf("ask for updates: %w", err)
	}
	if len(updates) == 0 {
		return false, nil
	}
	next := offset{At: a.now().UTC()}
	var inputs []channel.Raw
	var pressed []string
	for _, b := range updates {
		u := peek(b)
		next.Next = max(next.Next, u.ID+1)
		raw := a.input(id, u, b)
		raw.Channel, raw.Inbox, raw.ReceivedAt, raw.ContentType = Name, id, next.At, ContentType
		inputs = append(inputs, raw)
		if u.Callback.ID != "" {
			pressed = append(pressed, u.Callback.ID)
		}
	}
	if err := a.deps.Intake.Accept(ctx, inputs...); err != nil {
		return false, fmt.Errorf("store updates: %w", err)
	}
	a.deps.Inboxes.SetHealth(id, inbox.Health{LastIn: next.At})
	for _, query := range pressed {
		if err := a.call(ctx, id, c, "answerCallbackQuery", map[string]string{"callback_query_id": query}, nil); err != nil && ctx.Err() == nil {
			a.log.Warn("a pressed button was not answered", "channel", Name, "inbox", id, "error", err)
		}
	}
	*at = next
	return true, a.saveOffset(ctx, id, c, next)
}

// offsetID holds the bot: another bot in the same inbox counts anew.
func offsetID(id string, c config) string {
	bot, _, _ := strings.Cut(c.token, ":")
	return id + "." + bot
}

func (a *Adapter) loadOffset(ctx context.Context, id string, c config) (offset, error) {
	if a.deps.State == nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.memory[offsetID(id, c)], nil
	}
	var at offset
	if err := a.deps.State.Declare(ctx, docstore.Collection{Name: colOffsets}); err != nil {
		return at, fmt.Errorf("declare offsets: %w", err)
	}
	d, err := a.deps.State.Get(ctx, colOffsets, offsetID(id, c))
	if errors.Is(err, docstore.ErrNotFound) {
		return at, nil
	}
	if err == nil {
		err = json.Unmarshal(d.JSON, &at)
	}
	if err != nil {
		return at, fmt.Errorf("load offset: %w", err)
	}
	return at, nil
}

func (a *Adapter) saveOffset(ctx context.Context, id string, c config, at offset) error {
	if a.deps.State == nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.memory[offsetID(id, c)] = at
		return nil
	}
	b, err := json.Marshal(at)
	if err == nil {
		err = a.deps.State.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{Collection: colOffsets, Doc: docstore.Doc{ID: offsetID(id, c), JSON: b}}}})
	}
	if err != nil {
		return fmt.Errorf("save offset: %w", err)
	}
	return nil
}

func refused(err error) bool {
	_, ok := errors.AsType[*hosted.Refusal](err)
	return ok
}
