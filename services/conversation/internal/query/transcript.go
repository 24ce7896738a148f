package query

import (
	"context"
	"slices"
	"strconv"

	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/handleid"
)

// Transcript returns what was said over one handle by and to its present owner:
// messages and replies, oldest first. Notes and activities are not in its index
// and cannot come out of it; nor can what was said before the handle changed
// hands, but for what went along with it.
func (r *Reader) Transcript(ctx context.Context, q *channelv1.ListMessagesRequest) (*channelv1.ListMessagesResponse, error) {
	size, err := pageSize(q.GetPageSize())
	if err != nil {
		return nil, err
	}
	if q.GetAfter() != "" && !validPosition(q.GetAfter()) {
		return nil, &FieldError{"after", "is not a position"}
	}
	handle := handleid.Of(r.keys, Address(q.GetKind(), q.GetAddress(), q.GetInboxId()))
	if q.GetAtLeast() != "" {
		if err := r.waitForPosition(ctx, handle, q.GetAtLeast()); err != nil {
			return nil, err
		}
	}
	p, release := r.live.Acquire()
	defer release()
	m := &merge{
		world: r.stored(p), desc: q.GetAfter() == "", chunk: size + 1, left: lookAt,
		learn: func(context.Context, []*readmodel.Entry) error { return nil },
	}
	if !m.desc {
		m.token = q.GetAfter() + "~" // after every stream's entry of that place
	}
	src := &source{
		query: entries{index: readmodel.ByTranscript, prefix: handle},
		keep:  func(e *readmodel.Entry) bool { return e.Kind != readmodel.KindChange },
	}
	m.sources = []*source{src}
	owner, err := r.ownerOf(ctx, p, handle)
	if err != nil {
		return nil, err
	}
	if owner != nil {
		m.learn = owner.learn
		src.keep = func(e *readmodel.Entry) bool { return e.Kind != readmodel.KindChange && owner.owner(e) == owner.named }
	}
	page, next, err := m.page(ctx, size)
	if err != nil {
		return nil, err
	}
	out := &channelv1.ListMessagesResponse{More: next != ""}
	if m.desc {
		slices.Reverse(page)
	}
	reader := owner
	if reader == nil {
		reader = r.some(r.stored(p))
	}
	changes, err := reader.changesTo(ctx, page)
	if err != nil {
		return nil, err
	}
	for _, e := range page {
		item, err := r.transcriptItem(ctx, e, changes[e.ID])
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// ownerOf is the present owner of a handle that changed hands, nil of one that
// never did: then everything said over it is his.
func (r *Reader) ownerOf(ctx context.Context, p *readmodel.Projector, handle string) (*aPerson, error) {
	known, err := cached[readmodel.Handle](ctx, r.store, p, p.Names().Handles, handle)
	if err != nil {
		return nil, err
	}
	h := known[handle]
	if h == nil || len(h.Periods) < 2 {
		return nil, nil
	}
	o := &aPerson{
		Reader: r, world: r.stored(p), named: h.Customer, units: map[string]*readmodel.Unit{},
		targets: map[string]*readmodel.Entry{}, handles: map[string]*readmodel.Handle{}, customers: map[string]*readmodel.Customer{},
	}
	return o, o.loadHandles(ctx, []string{handle})
}

func (r *Reader) transcriptItem(ctx context.Context, e *readmodel.Entry, changes []*readmodel.Entry) (*channelv1.ListMessagesResponse_Item, error) {
	shown, err := r.view.Entry(ctx, e, nil, changes...)
	if err != nil {
		return nil, err
	}
	m := shown.GetMessage()
	item := &channelv1.ListMessagesResponse_Item{
		Id: e.ID, Position: e.Position, Direction: m.GetDirection(), Text: m.GetText(),
		Attachments: m.GetAttachments(), At: shown.GetRecordedAt(), Delivery: m.GetDelivery(), ClientId: e.ClientID, Flags: m.GetFlags(),
	}
	if m.GetDirection() == inboxv1.Direction_DIRECTION_OUTBOUND {
		item.AuthorName = m.GetFromName()
	}
	return item, nil
}

// waitForPosition waits until the projection shows a position of this handle's customer.
func (r *Reader) waitForPosition(ctx context.Context, handle, position string) error {
	if !validPosition(position) {
		return &FieldError{"at_least", "is not a position"}
	}
	seq, err := strconv.ParseUint(position[13:25], 16, 64)
	if err != nil {
		return &FieldError{"at_least", "is not a position"}
	}
	h, err := readmodel.LoadHandle(ctx, r.events, r.decode, r.tenant, handle)
	if err != nil {
		return err
	}
	if h == nil {
		return &FieldError{"at_least", "is not a position of this address"}
	}
	return r.live.WaitFor(ctx, r.events.PartitionOf(r.tenant, "customer."+h.Customer), seq)
}

func validPosition(s string) bool {
	if len(s) != 28 {
		return false
	}
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
