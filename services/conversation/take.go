package conversation

import (
	"context"
	"errors"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/intake"
	"github.com/weftline/weftline/services/internal/natsbus"
	"github.com/weftline/weftline/services/internal/outbox"
	"github.com/weftline/weftline/services/internal/telemetry"
)

// take handles one message of IN. nil acknowledges it: everything in it is
// stored. An error decides how its lane goes on (natsbus.Permanent, Later);
// the lanes of other senders go on in any case.
func (s *Service) take(m *message.Message) error {
	in, err := intake.Decode(m.Context(), s.deps.Keys, s.deps.Blobs, m.Metadata, m.Payload)
	if errors.Is(err, crypt.ErrShredded) {
		return nil // erased while it waited
	}
	if err != nil {
		return err
	}
	ctx, span := telemetry.Span(m.Context(), "ingest")
	err = s.ingest.Handle(ctx, ingest.Input{
		Raw: in.Raw, Receipt: in.Receipt, Ref: in.Ref, Trace: telemetry.Traceparent(ctx),
		Again: m.Metadata.Get(natsbus.ReplayOf) != "",
	})
	telemetry.End(span, err)
	return err
}

// fired handles a timer that went off.
func (s *Service) fired(m *message.Message) error {
	t, err := natsbus.ParseFired(m.Metadata.Get(natsbus.MetaSubject))
	if err != nil {
		return natsbus.Permanent(err)
	}
	return s.policy.Fired(m.Context(), t.Tenant, m.Payload)
}

// Reread parses an original again whose placeholder is shown, after its parser
// was mended; ref is the placeholder's.
func (s *Service) Reread(ctx context.Context, ref string) error {
	raw, err := s.deps.Originals.Open(ctx, ref)
	if err != nil {
		return err
	}
	return s.ingest.Reread(ctx, ingest.Input{Raw: &raw, Ref: ref})
}

// sender is the way to OUT.
type sender struct {
	bus  *natsbus.Bus
	keys crypt.Keyring
	// failed records that something was not sent; nil: the error is the caller's.
	failed func(context.Context, channel.Receipt) error
}

// Publish hands out over. What can never be handed over has failed, as a
// channel would say it: an error would be tried again for ever, and hold up
// everything behind it.
func (o sender) Publish(ctx context.Context, dataKey string, out channel.Outbound) error {
	err := outbox.Publish(ctx, o.bus, o.keys, dataKey, out)
	if large, ok := errors.AsType[*outbox.TooLargeError](err); ok && o.failed != nil {
		return o.failed(ctx, channel.Receipt{
			Tenant: out.Tenant, Channel: out.Channel, Inbox: out.Inbox, Outbound: out.ID, Customer: out.Customer, Attempt: out.Attempt,
			State: channel.StateFailed, Detail: large.Error(), At: time.Now().UTC(),
		})
	}
	return err
}

// report stores a receipt of our own.
func (s *Service) report(ctx context.Context, r channel.Receipt) error {
	return s.ingest.Handle(ctx, ingest.Input{Receipt: &r, Trace: telemetry.Traceparent(ctx)})
}
