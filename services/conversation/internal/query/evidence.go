package query

import (
	"context"
	"fmt"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// proof is why a handle is believed to be its owner's: folded from its own
// stream when somebody looks, since handles change seldom and a preview must not lag.
type proof struct {
	readmodel.Handle
	evidence  string // kind
	through   string // handle the evidence came through
	since     time.Time
	qualifier string
	tenures   []*identityv1.Tenure
}

// Words of Qualifier.
var qualifiers = map[string]identityv1.Qualifier{
	"shared": identityv1.Qualifier_QUALIFIER_SHARED, "role": identityv1.Qualifier_QUALIFIER_ROLE,
	"blocked": identityv1.Qualifier_QUALIFIER_BLOCKED, "none": identityv1.Qualifier_QUALIFIER_NONE,
}

// proof folds the stream of a handle.
func (r *Reader) proof(ctx context.Context, id string) (*proof, error) {
	h := &proof{Handle: readmodel.Handle{ID: id}}
	stream := "handle." + id
	for c, err := range r.events.Load(ctx, r.tenant, stream, 0) {
		if err != nil {
			return nil, fmt.Errorf("load handle: %w", err)
		}
		c.Stream = stream
		d, err := r.decode.Decode(c)
		if err != nil {
			return nil, err
		}
		for i, ev := range d.Events {
			h.Handle.Apply(d.Place(i), ev)
			h.apply(d.RecordedAt, d.Actor, ev)
		}
	}
	return h, nil
}

func (h *proof) apply(at time.Time, actor string, ev event.Event) {
	begin := func(n int64, customer string, from time.Time) {
		t := &identityv1.Tenure{Number: n, CustomerId: customer, Since: timestamppb.New(at), Actor: actor}
		if !from.IsZero() {
			t.ValidFrom = timestamppb.New(from)
		}
		h.tenures, h.since, h.through = append(h.tenures, t), at, ""
	}
	switch e := ev.(type) {
	case event.HandleClaimed:
		begin(e.Tenure, e.Customer, time.Time{})
		h.evidence, h.through = e.Evidence.Kind, e.Evidence.Handle
	case event.HandleMoved:
		begin(e.Tenure, e.To, e.ValidFrom)
		h.evidence = "moved"
	case event.HandleReleased:
		begin(e.Tenure, "", time.Time{})
		h.evidence = ""
	case event.HandleAssured:
		h.evidence, h.through = e.Evidence.Kind, e.Evidence.Handle
	case event.HandleQualified:
		if h.qualifier = e.Qualifier; h.qualifier == "none" {
			h.qualifier = ""
		}
	}
}

// show is the proof as agents see it.
func (r *Reader) showProof(ctx context.Context, h *proof) (*identityv1.HandleEvidence, error) {
	shown, err := r.view.Handle(ctx, h.ID, h.Tenure, &h.Handle)
	if err != nil {
		return nil, err
	}
	out := &identityv1.HandleEvidence{
		Handle: shown, Qualifier: identityv1.Qualifier_QUALIFIER_NONE, Evidence: h.evidence, ThroughHandleId: h.through,
		Since: timestamppb.New(h.since),
	}
	if q, ok := qualifiers[h.qualifier]; ok {
		out.Qualifier = q
	}
	if n := len(h.tenures); n > 1 {
		out.Tenures = h.tenures[:n-1]
	}
	return out, nil
}
