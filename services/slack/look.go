package slack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

const markType = "weftline_message"

// metadata goes along with a message, unseen, and is found again in the
// channel's history ("Message metadata").
type metadata struct {
	Type    string `json:"event_type"`
	Payload mark   `json:"event_payload"`
}

// mark says which part of which message of ours it is; Tag, that this hub made it.
type mark struct {
	ID   string `json:"id"`
	Part int    `json:"part"`
	Of   int    `json:"of"`
	Tag  string `json:"tag"`
}

func (a *Adapter) mark(out channel.Outbound, part, of int) metadata {
	tag := "-"
	if a.deps.Keys != nil {
		tag = a.deps.Keys.Hash("slack mark", out.Inbox, out.ID)[:12]
	}
	return metadata{markType, mark{out.ID, part, of, tag}}
}

const (
	pageSize = 200
	maxPages = 25
)

var (
	errFilesUnseen = errors.New("look up: files bear no mark of ours")
	errTooFar      = errors.New("look up: too much was said since")
)

// Look reads what was said where the message went since it was asked for, to
// its end, for our marks. Without a mark there, nothing of it was sent.
func (a *Adapter) Look(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	c, err := a.sending(out.Inbox)
	if err != nil {
		return channel.Receipt{}, err
	}
	p, no := planned(out)
	if no != "" {
		return hosted.Failed(out, a.now(), no)
	}
	n := p.steps()
	if err := a.locate(ctx, out.Inbox, c, &p); err != nil {
		return hosted.Ended(out, a.now(), nil, n, err)
	}
	found, err := a.history(ctx, out, c, p, n)
	if err != nil {
		return channel.Receipt{}, err
	}
	var ids []string
	for i := range p.texts {
		id, ok := found[i]
		if !ok {
			break
		}
		ids = append(ids, id)
	}
	switch {
	case len(ids) == n:
		return hosted.Ended(out, a.now(), ids, n, nil)
	case len(ids) == len(p.texts) && p.files > 0:
		return channel.Receipt{}, errFilesUnseen // they come last, and may be there
	case len(ids) > 0:
		a.steps.Found(ctx, out, ids) // the rest goes on behind them
	}
	return channel.Receipt{}, nil
}

// history is where our marks are, by part.
func (a *Adapter) history(ctx context.Context, out channel.Outbound, c config, p plan, n int) (map[int]string, error) {
	method, args := "conversations.history", url.Values{"channel": {p.channel}}
	if p.thread != "" {
		method = "conversations.replies"
		args.Set("ts", p.thread)
	}
	if !out.At.IsZero() {
		args.Set("oldest", strconv.FormatInt(out.At.Add(-10*time.Minute).Unix(), 10)+".000000") // their clock may be behind
	}
	args.Set("include_all_metadata", "true")
	args.Set("limit", strconv.Itoa(pageSize))
	found, want := map[int]string{}, a.mark(out, 0, n).Payload
	for range maxPages {
		var page struct {
			Messages []struct {
				TS       string   `json:"ts"`
				Metadata metadata `json:"metadata"`
			} `json:"messages"`
			More bool `json:"has_more"`
			Next struct {
				Cursor string `json:"next_cursor"`
			} `json:"response_metadata"`
		}
		if err := a.ask(ctx, out.Inbox, c, method, args, &page); err != nil {
			return nil, fmt.Errorf("look up: %w", err)
		}
		for _, m := range page.Messages {
			if got := m.Metadata.Payload; m.Metadata.Type == markType && got.ID == want.ID && got.Tag == want.Tag && got.Of == want.Of {
				found[got.Part] = messageID(p.channel, m.TS)
			}
		}
		if !page.More || page.Next.Cursor == "" {
			return found, nil
		}
		args.Set("cursor", page.Next.Cursor)
	}
	return nil, errTooFar
}
