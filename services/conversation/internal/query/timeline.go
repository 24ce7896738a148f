package query

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/cursor"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
)

// lastMicro is the last moment that a key of 13 hexadecimal digits can name, in the year 2112.
const lastMicro = 1<<52 - 1

// maxConversations bounds how many conversations come along with a timeline.
const maxConversations = 200

// GetTimeline returns a page of everything said by and to a person, from the
// newest backwards; entries in a page are oldest first. With as_of or
// as_of_time it is folded from the streams and exactly as it was.
func (r *Reader) GetTimeline(ctx context.Context, q *inboxv1.GetTimelineRequest) (*inboxv1.GetTimelineResponse, error) {
	ask, err := r.parseTimeline(q)
	if err != nil {
		return nil, err
	}
	at, err := r.cutOf(q)
	if err != nil {
		return nil, err
	}
	p, release := r.live.Acquire()
	defer release()
	if at == nil {
		asOf := r.asOf(p)
		out, err := r.timeline(ctx, r.stored(p), ask)
		if err != nil {
			return nil, err
		}
		out.AsOf = asOf
		return out, nil
	}
	w, err := r.folded(ctx, p, *at, ask.customer)
	if err != nil {
		return nil, err
	}
	out, err := r.timeline(ctx, w, ask)
	if err != nil {
		return nil, err
	}
	out.AsOf = w.asOf()
	return out, nil
}

// timelineQuery is a checked request.
type timelineQuery struct {
	customer     string
	of           pageOf
	size         int
	token        string // exclusive; "" for the end that is read from
	newer        bool
	around       bool
	alone        bool
	kinds        []string
	channels     []string
	conversation string
}

var timelineKinds = []string{
	readmodel.KindMessage, readmodel.KindReply, readmodel.KindNote, readmodel.KindActivity, readmodel.KindEvent, readmodel.KindChange,
}

func (r *Reader) parseTimeline(q *inboxv1.GetTimelineRequest) (timelineQuery, error) {
	out := timelineQuery{
		customer: q.GetCustomerId(), newer: q.GetNewer(), alone: q.GetAlone(), kinds: q.GetKinds(),
		channels: q.GetChannels(), conversation: q.GetConversationId(),
	}
	var err error
	if out.size, err = pageSize(q.GetPageSize()); err != nil {
		return out, err
	}
	out.of = pageOf{"timeline", out.customer, fmt.Sprint(out.alone), out.conversation, strings.Join(out.kinds, "\x00"), strings.Join(out.channels, "\x00")}
	if q.GetAround() != nil && q.GetPageToken() != "" {
		return out, &FieldError{"around", "excludes page_token"}
	}
	if out.token, err = r.parsePageToken(out.of, q.GetPageToken()); err != nil {
		return out, err
	}
	for _, k := range out.kinds {
		if !slices.Contains(timelineKinds, k) {
			return out, &FieldError{"kinds", "must be of " + strings.Join(timelineKinds, ", ")}
		}
	}
	if len(out.channels) > 20 {
		return out, &FieldError{"channels", "must be at most 20"}
	}
	if at := q.GetAround(); at != nil {
		switch {
		case at.CheckValid() != nil:
			return out, &FieldError{"around", "is not a valid time"}
		}
		out.around, out.token = true, fmt.Sprintf("%013x", min(max(0, at.AsTime().UnixMicro()+1), lastMicro))
	}
	return out, nil
}

// cutOf is the moment of the past a request asks for, nil for now.
func (r *Reader) cutOf(q *inboxv1.GetTimelineRequest) (*cut, error) {
	switch {
	case q.GetAsOf() != "" && q.GetAsOfTime() != nil:
		return nil, &FieldError{"as_of_time", "excludes as_of"}
	case q.GetAsOf() != "":
		c, err := cursor.Decode(r.keys, q.GetAsOf(), r.events.Partitions())
		if err != nil {
			return nil, &FieldError{"as_of", "is not a cursor of this hub"}
		}
		return upToCursor(c), nil
	case q.GetAsOfTime() != nil:
		if err := q.GetAsOfTime().CheckValid(); err != nil {
			return nil, &FieldError{"as_of_time", "is not a valid time"}
		}
		return upToTime(q.GetAsOfTime().AsTime()), nil
	}
	return nil, nil
}

// timeline reads one page of a world.
func (r *Reader) timeline(ctx context.Context, w world, q timelineQuery) (*inboxv1.GetTimelineResponse, error) {
	p, err := r.openPerson(ctx, w, q.customer, q.alone)
	if err != nil {
		return nil, err
	}
	if err := p.loadRows(ctx, maxConversations); err != nil {
		return nil, err
	}
	m, err := p.merge(ctx, q)
	if err != nil {
		return nil, err
	}
	page, next, err := m.page(ctx, q.size)
	if err != nil {
		return nil, err
	}
	out := &inboxv1.GetTimelineResponse{}
	older, newer := next, ""
	if q.newer {
		slices.Reverse(page) // to the order of the others: newest first
		older, newer = q.token, next
		if len(page) > 0 {
			older = key(page[len(page)-1])
		}
	} else if q.token != "" {
		newer = q.token
		if len(page) > 0 {
			newer = key(page[0])
		}
	}
	if q.around && newer != "" {
		// Whether there is anything newer at all.
		up, err := p.merge(ctx, timelineQuery{token: newer, newer: true, size: 1, kinds: q.kinds, channels: q.channels, conversation: q.conversation})
		if err != nil {
			return nil, err
		}
		if e, rest, err := up.next(ctx); err != nil {
			return nil, err
		} else if e == nil && rest == "" {
			newer = ""
		}
	}
	if older != "" {
		out.NextPageToken = r.pageToken(q.of, older)
	}
	if newer != "" {
		out.NewerPageToken = r.pageToken(q.of, newer)
	}
	if err := p.loadRowsOf(ctx, page); err != nil {
		return nil, err
	}
	return out, p.show(ctx, out, page)
}

// Newer returns the messages and replies a reader of version lastSeen of a
// conversation has not seen, oldest first, at most MaxPage.
func (r *Reader) Newer(ctx context.Context, conversation string, lastSeen, version int64) ([]*inboxv1.TimelineEntry, error) {
	p, release := r.live.Acquire()
	defer release()
	w := r.stored(p)
	want := int(min(max(0, version-lastSeen), MaxPage))
	var found []*readmodel.Entry
	q := entries{index: readmodel.ByConversation, prefix: conversation, desc: true, limit: MaxPage}
	for len(found) < want {
		page, next, err := w.entries(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			if (e.Kind == readmodel.KindMessage || e.Kind == readmodel.KindReply) && len(found) < want {
				found = append(found, e)
			}
		}
		if q.after = next; next == "" {
			break
		}
	}
	slices.Reverse(found)
	return r.showEntries(ctx, p, found)
}

// Entries shows entries that may not be projected yet, e.g. those of a commit just made.
func (r *Reader) Entries(ctx context.Context, entries ...*readmodel.Entry) ([]*inboxv1.TimelineEntry, error) {
	p, release := r.live.Acquire()
	defer release()
	return r.showEntries(ctx, p, entries)
}

func (r *Reader) showEntries(ctx context.Context, p *readmodel.Projector, entries []*readmodel.Entry) ([]*inboxv1.TimelineEntry, error) {
	some := r.some(r.stored(p))
	if err := some.learn(ctx, entries); err != nil {
		return nil, err
	}
	changes, err := some.changesTo(ctx, entries)
	if err != nil {
		return nil, err
	}
	var out []*inboxv1.TimelineEntry
	for _, e := range entries {
		if e.Hidden {
			continue
		}
		shown, err := r.view.Entry(ctx, e, some.handles, changes[e.ID]...)
		if err != nil {
			return nil, err
		}
		out = append(out, shown)
	}
	return out, nil
}

// cut says whether a commit belongs to a moment of the past.
type cut struct {
	includes func(c readmodel.Commit) bool
	cursor   *cursor.Cursor // when that is what the moment was given by
}

func upToCursor(c cursor.Cursor) *cut {
	return &cut{includes: func(k readmodel.Commit) bool { return k.Seq <= c.Seqs[k.Partition] }, cursor: &c}
}

func upToTime(t time.Time) *cut {
	return &cut{includes: func(k readmodel.Commit) bool { return !k.RecordedAt.After(t) }}
}
