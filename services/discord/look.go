package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

// maxPages bounds how far back a message of ours is looked for.
const maxPages = 5

// posted finds a message that may have gone out before: by its nonce, which the
// gateway told with it; else in the channel since it was asked for, by its nonce,
// or where Discord lists none, by what it says. It gives its id; "": it did not go out.
func (a *Adapter) posted(ctx context.Context, out channel.Outbound, c config, where string, m newMessage, files int) (string, error) {
	if id, err := a.kept.ownBy(ctx, out.Inbox, where, m.Nonce); err != nil || id != "" {
		return id, err
	}
	me, err := a.bot(ctx, out.Inbox, c)
	if err != nil {
		return "", err
	}
	since := out.At.Add(-time.Minute) // their clock may be behind
	if out.At.IsZero() {
		since = a.now().Add(-24 * time.Hour)
	}
	after := strconv.FormatInt(snowflake(since), 10)
	for range maxPages {
		var list []json.RawMessage
		if err := a.get(ctx, out.Inbox, c, "/channels/"+where+"/messages?limit=100&after="+after, &list); err != nil {
			return "", fmt.Errorf("look whether it was sent: %w", err)
		}
		for _, raw := range list {
			var got message
			if json.Unmarshal(raw, &got) != nil || !idForm.MatchString(got.ID) {
				continue
			}
			if newer(got.ID, after) {
				after = got.ID
			}
			if got.Author.ID != me.ID {
				continue
			}
			if n := got.nonce(); n != "" {
				if n == m.Nonce {
					return got.ID, nil
				}
				continue
			}
			if same(got, m, files) {
				if own, err := a.kept.isOwn(ctx, out.Inbox, where, got.ID); err != nil {
					return "", err
				} else if !own { // it is no other message of ours that says the same
					return got.ID, nil
				}
			}
		}
		if len(list) < pageSize {
			return "", nil
		}
	}
	return "", nil
}

// same says whether a message says what one of ours would have said, in the same place.
func same(got message, m newMessage, files int) bool {
	answered := ""
	if got.References != nil {
		answered = got.References.Message
	}
	if m.Answers != nil && answered != "" && answered != m.Answers.Message {
		return false
	}
	return strings.TrimSpace(got.Content) == strings.TrimSpace(m.Content) && len(got.Files) == files
}
