package matrix

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

const (
	pageSize = 100
	// maxPages bounds what is asked for of one gap: 10,000 events.
	maxPages = 100
	// firstPages bounds it where nothing was taken in before: an account's first
	// sync, and a room we have just come into.
	firstPages = 10
)

// backfill asks for what a limited timeline leaves out, oldest first
// ("Syncing", "GET /rooms/{roomId}/messages"): back to the event that was taken in last; where there is
// none, to the room's beginning or, on the first sync of an account, to what it did last.
func (f *follower) backfill(ctx context.Context, roomID string, u update, last string) ([]json.RawMessage, error) {
	done := func(events []json.RawMessage) bool {
		return slices.ContainsFunc(events, func(raw json.RawMessage) bool {
			e := decode(raw)
			return e.ID != "" && (last != "" && e.ID == last || last == "" && f.at.Since == "" && f.ours(e))
		})
	}
	from, most := u.Timeline.Prev, maxPages
	if last == "" {
		most = firstPages
	}
	if from == "" || done(u.Timeline.Events) {
		return nil, nil
	}
	var pages [][]json.RawMessage // newest first
	for n := 0; ; n++ {
		if n == most {
			f.a.log.Warn("a room's gap is longer than is asked for", "channel", Name, "inbox", f.id, "events", most*pageSize)
			if last != "" {
				f.a.remark(f.id, fmt.Sprintf("one room has more than %d new events: what is older was left out", most*pageSize))
			}
			break
		}
		q := url.Values{"dir": {"b"}, "limit": {fmt.Sprint(pageSize)}, "from": {from}}
		var page struct {
			Chunk []json.RawMessage `json:"chunk"`
			End   string            `json:"end"`
		}
		err := f.a.call(ctx, f.id, f.c, http.MethodGet, path(client+"/rooms/%s/messages", roomID)+"?"+q.Encode(), nil, &page)
		if refusedAs(err, "M_FORBIDDEN", "M_NOT_FOUND") {
			break // we were never allowed to see it
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errGap, err)
		}
		pages = append(pages, page.Chunk)
		if page.End == "" || page.End == from || done(page.Chunk) {
			break
		}
		from = page.End
	}
	all := slices.Concat(pages...)
	slices.Reverse(all)
	return all, nil
}
