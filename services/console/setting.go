package console

import (
	"context"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"
	consolev1 "github.com/weftline/weftline/pkg/weftline/console/v1"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

func (r rpc) ListInboxes(ctx context.Context, _ *consolev1.ListInboxesRequest) (*consolev1.ListInboxesResponse, error) {
	who, err := agentOnly(ctx)
	if err != nil {
		return nil, err
	}
	res := &consolev1.ListInboxesResponse{}
	for _, in := range r.deps.Inboxes.List("") {
		p := r.inboxProto(in, who.Owner)
		r.countWaiting(ctx, p)
		res.Inboxes = append(res.Inboxes, p)
	}
	return res, nil
}

// inboxProto shows settings to owners only, and secrets to nobody.
func (r rpc) inboxProto(in inbox.Inbox, owner bool) *consolev1.Inbox {
	h := r.deps.Inboxes.Health(in.ID)
	p := &consolev1.Inbox{
		Id: in.ID, Channel: in.Channel, Name: in.Name, Source: in.Source, Settings: map[string]string{},
		Health: h.State, LastIn: stamp(h.LastIn), LastOut: stamp(h.LastOut), Since: stamp(h.Since),
		Paused: in.Paused, PausedInFile: in.PausedInFile,
	}
	if !owner {
		return p
	}
	p.HealthDetail, p.LastError, p.LastErrorAt = h.Detail, h.LastError, stamp(h.LastErrorAt)
	if kind, ok := r.kind(in.Channel); ok {
		p.WebhookUrl = r.webhook(kind, in)
		for _, s := range kind.Settings {
			switch v := in.Settings[s.Key]; {
			case v == "":
			case s.Secret:
				p.StoredSecrets = append(p.StoredSecrets, s.Key)
			default:
				p.Settings[s.Key] = v
			}
		}
	}
	return p
}

// webhook is where the provider posts to, "" where it posts nothing.
func (r rpc) webhook(kind inbox.Channel, in inbox.Inbox) string {
	for _, p := range kind.Paste {
		if p.Key == "" && kind.Asked(p.When, in.Settings) {
			return r.cfg.PublicURL + hosted.HookPath(in.Channel, in.ID)
		}
	}
	return ""
}

// countTimeout bounds the counting of what waits in one inbox: a page that does
// not know it is better than one that does not come.
const countTimeout = time.Second

func (r rpc) countWaiting(ctx context.Context, p *consolev1.Inbox) {
	if r.deps.Waiting == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	if out, aside, err := r.deps.Waiting(ctx, p.GetChannel(), p.GetId()); err == nil {
		p.WaitingOut, p.SetAside = &out, &aside
	}
}

func (r rpc) kind(channel string) (inbox.Channel, bool) {
	for _, k := range r.deps.Inboxes.Channels() {
		if k.Name == channel {
			return k, true
		}
	}
	return inbox.Channel{}, false
}

func (r rpc) SaveInbox(ctx context.Context, req *consolev1.SaveInboxRequest) (*consolev1.SaveInboxResponse, error) {
	res, err := r.saveInbox(ctx, req)
	e := audit.Entry{Action: audit.RightInboxSaved, Object: audit.ID(req.GetInbox().GetId())}
	if id := res.GetInbox().GetId(); id != "" {
		e.Object, e.IDs = id, map[string]string{"channel": res.GetInbox().GetChannel()}
	}
	if req.GetDelete() {
		e.Action = audit.RightInboxDeleted
	}
	return res, r.did(ctx, e, err)
}

func (r rpc) saveInbox(ctx context.Context, req *consolev1.SaveInboxRequest) (*consolev1.SaveInboxResponse, error) {
	if _, err := ownerOnly(ctx); err != nil {
		return nil, err
	}
	if req.GetDelete() {
		err := r.deps.Inboxes.Delete(ctx, req.GetInbox().GetId())
		return &consolev1.SaveInboxResponse{}, r.settingError(ctx, err)
	}
	in, err := r.fromProto(req.GetInbox())
	if err != nil {
		return nil, err
	}
	in.Forget = req.GetForget()
	saved, err := r.deps.Inboxes.Save(ctx, in)
	if err != nil {
		return nil, r.settingError(ctx, err)
	}
	return &consolev1.SaveInboxResponse{Inbox: r.inboxProto(saved, true)}, nil
}

// settingError: what the registry and the channel's check complain of is the caller's to mend.
func (r rpc) settingError(ctx context.Context, err error) error {
	if errors.Is(err, inbox.ErrReadOnly) {
		return connect.NewError(connect.CodeFailedPrecondition, err)
	}
	return r.coded(ctx, err)
}

// fromProto refuses settings the channel does not have.
func (r rpc) fromProto(p *consolev1.Inbox) (inbox.Inbox, error) {
	in := inbox.Inbox{ID: p.GetId(), Channel: p.GetChannel(), Name: p.GetName(), Settings: p.GetSettings()}
	kind, ok := r.kind(in.Channel)
	if !ok {
		return in, connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("channel: %q is not a channel of this hub", in.Channel))
	}
	known := map[string]bool{}
	for _, s := range kind.Settings {
		known[s.Key] = true
	}
	for k, v := range in.Settings {
		if !known[k] {
			return in, connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("settings.%s: unknown setting of channel %s", k, in.Channel))
		}
		if len(v) > 10_000 {
			return in, connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("settings.%s: %d bytes, allowed are 10000", k, len(v)))
		}
	}
	return in, nil
}
