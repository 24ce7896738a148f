package console

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/weftline/weftline/pkg/channel"
	consolev1 "github.com/weftline/weftline/pkg/weftline/console/v1"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/internal/trial"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Test messages go to whatever address an owner types, so they are few.
const (
	trialTimeout = 25 * time.Second
	trialEvery   = time.Minute
	trialBurst   = 5
)

// SendTest sends one short message of the hub's own. It is tried once: whoever
// looks at the screen tries again himself.
func (r rpc) SendTest(ctx context.Context, req *consolev1.SendTestRequest) (*consolev1.SendTestResponse, error) {
	res, err := r.sendTest(ctx, req)
	e := audit.Entry{Action: audit.RightInboxTestSent, Object: audit.ID(req.GetInboxId())}
	if res != nil {
		e.IDs = map[string]string{"state": res.GetState()}
	}
	return res, r.did(ctx, e, err)
}

func (r rpc) sendTest(ctx context.Context, req *consolev1.SendTestRequest) (*consolev1.SendTestResponse, error) {
	who, err := ownerOnly(ctx)
	if err != nil {
		return nil, err
	}
	in, ok := r.deps.Inboxes.Get(req.GetInboxId())
	if !ok {
		return nil, connect.NewError(connect.CodeNotFound, errors.New("inbox_id: there is no such inbox"))
	}
	kind, _ := r.kind(in.Channel)
	if kind.Recipient == nil || r.deps.Sender == nil {
		return nil, connect.NewError(connect.CodeFailedPrecondition, fmt.Errorf("channel %s sends no test messages", in.Channel))
	}
	to, err := trialAddress(*kind.Recipient, in, req.GetAddress())
	if err != nil {
		return nil, connect.NewError(connect.CodeInvalidArgument, err)
	}
	if in.Paused {
		return nil, connect.NewError(connect.CodeFailedPrecondition, errors.New("the inbox is paused: nothing is sent"))
	}
	sender, ok := r.deps.Sender(in.Channel, in.ID)
	if !ok {
		return nil, connect.NewError(connect.CodeFailedPrecondition, errors.New("the inbox cannot send: a setting for it is missing"))
	}
	if !r.trials.take("send/"+who.ID, trialEvery, trialBurst) {
		err := connect.NewError(connect.CodeResourceExhausted, errors.New("5 test messages in a row are enough: wait a minute"))
		err.Meta().Set("Retry-After", "60")
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, trialTimeout)
	defer cancel()
	got, err := sender.Send(ctx, r.trialMessage(in, to))
	if err != nil {
		// The outbox would try again; a person does it here.
		got.State, got.Detail = channel.StateFailed, err.Error()
		if ctx.Err() != nil {
			got.State, got.Detail = channel.StateUnknown, "no answer in time: whether it arrived is not known"
		}
	}
	if got.At.IsZero() {
		got.At = r.deps.Now()
	}
	return &consolev1.SendTestResponse{
		State: string(got.State), Detail: hush(got.Detail, kind, in.Settings), ProviderId: got.ProviderID, At: timestamppb.New(got.At),
	}, nil
}

func (r rpc) trialMessage(in inbox.Inbox, to channel.Address) channel.Outbound {
	id := trial.New()
	return channel.Outbound{
		ID: id, Tenant: r.cfg.Tenant, Channel: in.Channel, Inbox: in.ID, Customer: id, Conversation: id, To: to, Attempt: 1, At: r.deps.Now(),
		Subject: "Test of the inbox " + in.Name,
		Content: channel.Content{Text: fmt.Sprintf("This is a test message of %s, sent from the settings of the inbox “%s”. If you can read it, the inbox can send.", r.cfg.Workspace, in.Name)},
	}
}

// trialAddress reads what was typed; the adapter knows better what is an address.
func trialAddress(to inbox.Recipient, in inbox.Inbox, typed string) (channel.Address, error) {
	typed = strings.TrimSpace(typed)
	if n := len([]rune(typed)); n < 1 || n > 320 {
		return channel.Address{}, fmt.Errorf("address: has %d characters, allowed are 1 to 320", n)
	}
	if strings.ContainsFunc(typed, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return channel.Address{}, errors.New("address: holds control characters")
	}
	if to.Form != nil && !to.Form.MatchString(typed) {
		return channel.Address{}, fmt.Errorf("address: %q is not one such as %s", typed, to.Such)
	}
	a := channel.Address{Kind: to.Kind, Address: typed}
	if to.Scoped {
		a.Scope = in.ID
	}
	if to.Kind == "phone" {
		n, ok := handleid.For(in.Settings["region"], in.Settings["number"]).International(typed)
		if !ok {
			return a, fmt.Errorf("address: %q is not a telephone number such as +15005550006", typed)
		}
		a.Address = n
	}
	return a, nil
}
