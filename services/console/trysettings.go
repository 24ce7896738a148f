package console

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/weftline/weftline/pkg/channel"
	consolev1 "github.com/weftline/weftline/pkg/weftline/console/v1"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// A live test is bounded in time, and how often one owner may order one: it
// connects to whatever the settings name.
const (
	testTimeout = 25 * time.Second
	testEvery   = 3 * time.Second
	testBurst   = 20
)

// TestInbox tries the given settings; empty secrets are those stored.
func (r rpc) TestInbox(ctx context.Context, req *consolev1.TestInboxRequest) (*consolev1.TestInboxResponse, error) {
	res, err := r.testInbox(ctx, req)
	e := audit.Entry{Action: audit.RightInboxTested, Object: audit.ID(req.GetInbox().GetId()), IDs: map[string]string{"channel": audit.ID(req.GetInbox().GetChannel())}}
	if res != nil {
		e.IDs["state"] = map[bool]string{true: "ok", false: "failed"}[res.GetOk()]
	}
	return res, r.did(ctx, e, err)
}

func (r rpc) testInbox(ctx context.Context, req *consolev1.TestInboxRequest) (*consolev1.TestInboxResponse, error) {
	who, err := ownerOnly(ctx)
	if err != nil {
		return nil, err
	}
	in, err := r.fromProto(req.GetInbox())
	if err != nil {
		return nil, err
	}
	if !r.trials.take("test/"+who.ID, testEvery, testBurst) {
		return nil, connect.NewError(connect.CodeResourceExhausted, errors.New("too many tests: wait some seconds"))
	}
	kind, _ := r.kind(in.Channel)
	old, _ := r.deps.Inboxes.Get(in.ID)
	given := in.Settings
	in.Settings = tried(kind, given, old.Settings, req.GetForget())
	wrong := kind.Refers(in.Settings, inbox.Find(r.deps.Inboxes))
	if kind.Check != nil {
		wrong = errors.Join(kind.Check(in.Settings), wrong)
	}
	if wrong != nil {
		// The last word on a field counts: it is not missing, it stayed where it was entered for.
		wrong = errors.Join(wrong, left(kind, given, old.Settings, req.GetForget()))
		return &consolev1.TestInboxResponse{Detail: hush(wrong.Error(), kind, in.Settings)}, nil
	}
	if kind.Steps == nil {
		return &consolev1.TestInboxResponse{Ok: true, Detail: "Nothing to connect to."}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	res := &consolev1.TestInboxResponse{Ok: true, Detail: "Connected."}
	for _, s := range kind.Steps(ctx, in) {
		p := &consolev1.TestStep{Name: s.Name, Ok: s.Err == nil, Detail: hush(s.Detail, kind, in.Settings)}
		if s.Err != nil {
			p.Detail = hush(wrongIn(s.Err), kind, in.Settings)
			if errors.Is(s.Err, context.DeadlineExceeded) {
				p.Detail = "no answer in time: " + p.Detail
			}
			if res.Ok {
				res.Ok, res.Detail = false, p.Detail
			}
		}
		res.Steps = append(res.Steps, p)
	}
	return res, nil
}

// wrongIn is what an error of a live test says, without what matters to the outbox alone.
func wrongIn(err error) string {
	words := err.Error()
	for _, mark := range []string{channel.ErrNeedsAttention.Error(), hosted.ErrUnknown.Error()} {
		words = strings.ReplaceAll(strings.ReplaceAll(words, ": "+mark, ""), mark+": ", "")
	}
	return words
}

// tried are the settings to try: those given, stored secrets for empty ones that are not to be forgotten, defaults.
func tried(kind inbox.Channel, given, stored map[string]string, forget []string) map[string]string {
	out := map[string]string{}
	for _, s := range kind.Settings {
		v := given[s.Key]
		if v == "" && s.Secret && !slices.Contains(forget, s.Key) && kind.Moved(s, given, stored) == "" {
			v = stored[s.Key]
		}
		if v = cmp.Or(v, s.Default); v != "" {
			out[s.Key] = v
		}
	}
	return out
}

// left says of each stored secret that tried leaves behind why.
func left(kind inbox.Channel, given, stored map[string]string, forget []string) error {
	var errs []error
	for _, s := range kind.Settings {
		if !s.Secret || given[s.Key] != "" || stored[s.Key] == "" || slices.Contains(forget, s.Key) {
			continue
		}
		if by := kind.Moved(s, given, stored); by != "" {
			errs = append(errs, &inbox.SecretError{Key: s.Key, Moved: by})
		}
	}
	return errors.Join(errs...)
}

// hush takes secrets out of words that came from elsewhere: servers like to repeat what they were told.
func hush(words string, kind inbox.Channel, settings map[string]string) string {
	for _, s := range kind.Settings {
		if !s.Secret {
			continue
		}
		for _, v := range append([]string{settings[s.Key]}, strings.Split(settings[s.Key], "\n")...) {
			if v = strings.TrimSpace(v); len(v) < 4 {
				continue // a word of the language as well; no secret has so little
			}
			for _, form := range []string{v, url.QueryEscape(v), url.PathEscape(v), base64.StdEncoding.EncodeToString([]byte(v))} {
				words = strings.ReplaceAll(words, form, "•••")
			}
		}
	}
	return words
}
