package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"connectrpc.com/connect"
	consolev1 "github.com/weftline/weftline/pkg/weftline/console/v1"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/inbox"
)

func (r rpc) ListInboxes(ctx context.Context, _ *consolev1.ListInboxesRequest) (*consolev1.ListInboxesResponse, error) {
	who, err := agentOnly(ctx)
	if err != nil {
		return nil, err
	}
	res := &consolev1.ListInboxesResponse{}
	for _, in := range r.deps.Inboxes.List("") {
		res.Inboxes = append(res.Inboxes, r.inboxProto(in, who.Owner))
	}
	return res, nil
}

// inboxProto shows settings to owners only, and secrets to nobody.
func (r rpc) inboxProto(in inbox.Inbox, owner bool) *consolev1.Inbox {
	h := r.deps.Inboxes.Health(in.ID)
	p := &consolev1.Inbox{
		Id: in.ID, Channel: in.Channel, Name: in.Name, Source: in.Source, Settings: map[string]string{},
		Health: h.State, LastIn: stamp(h.LastIn), LastOut: stamp(h.LastOut),
	}
	if !owner {
		return p
	}
	p.HealthDetail = h.Detail
	if kind, ok := r.kind(in.Channel); ok {
		for _, s := range kind.Settings {
			if v := in.Settings[s.Key]; !s.Secret && v != "" {
				p.Settings[s.Key] = v
			}
		}
	}
	return p
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

// testTimeout bounds a live connection test.
const testTimeout = 20 * time.Second

// TestInbox tries the given settings; empty secrets are those stored.
func (r rpc) TestInbox(ctx context.Context, req *consolev1.TestInboxRequest) (*consolev1.TestInboxResponse, error) {
	if _, err := ownerOnly(ctx); err != nil {
		return nil, err
	}
	in, err := r.fromProto(req.GetInbox())
	if err != nil {
		return nil, err
	}
	kind, _ := r.kind(in.Channel)
	settings := map[string]string{}
	old, _ := r.deps.Inboxes.Get(in.ID)
	for _, s := range kind.Settings {
		v := in.Settings[s.Key]
		if v == "" && s.Secret && sameEndpoint(kind, in.Settings, old.Settings) {
			v = old.Settings[s.Key]
		}
		if v == "" {
			v = s.Default
		}
		settings[s.Key] = v
	}
	in.Settings = settings
	if kind.Check != nil {
		if err := kind.Check(settings); err != nil {
			return &consolev1.TestInboxResponse{Detail: err.Error()}, nil
		}
	}
	if kind.Test == nil {
		return &consolev1.TestInboxResponse{Ok: true, Detail: "Nothing to connect to."}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	if err := kind.Test(ctx, in); err != nil {
		return &consolev1.TestInboxResponse{Detail: err.Error()}, nil
	}
	return &consolev1.TestInboxResponse{Ok: true, Detail: "Connected."}, nil
}

// endpoints are the settings that say where secrets go.
var endpoints = []string{"imap_host", "smtp_host", "host", "oauth_provider", "oauth_tenant", "oauth_token_url"}

// sameEndpoint guards stored secrets: they are tried only against the hosts
// they were stored for, never against one just typed in.
func sameEndpoint(kind inbox.Channel, now, stored map[string]string) bool {
	for _, s := range kind.Settings {
		if !s.Secret && slices.Contains(endpoints, s.Key) && now[s.Key] != stored[s.Key] {
			return false
		}
	}
	return true
}
