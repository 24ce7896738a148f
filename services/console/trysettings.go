package console

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"time"

	"connectrpc.com/connect"
	consolev1 "github.com/weftline/weftline/pkg/weftline/console/v1"
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
	in.Settings = tried(kind, in.Settings, old.Settings)
	if kind.Check != nil {
		if err := kind.Check(in.Settings); err != nil {
			return &consolev1.TestInboxResponse{Detail: hush(err.Error(), kind, in.Settings)}, nil
		}
	}
	if kind.Test == nil && kind.Steps == nil {
		return &consolev1.TestInboxResponse{Ok: true, Detail: "Nothing to connect to."}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	res := &consolev1.TestInboxResponse{Ok: true, Detail: "Connected."}
	for _, s := range steps(ctx, kind, in) {
		p := &consolev1.TestStep{Name: s.Name, Ok: s.Err == nil, Detail: hush(s.Detail, kind, in.Settings)}
		if s.Err != nil {
			p.Detail = hush(s.Err.Error(), kind, in.Settings)
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

func steps(ctx context.Context, kind inbox.Channel, in inbox.Inbox) []inbox.Step {
	if kind.Steps != nil {
		return kind.Steps(ctx, in)
	}
	return []inbox.Step{{Name: "Connect", Err: kind.Test(ctx, in)}}
}

// tried are the settings to try: those given, stored secrets for empty ones, defaults.
func tried(kind inbox.Channel, given, stored map[string]string) map[string]string {
	out := map[string]string{}
	for _, s := range kind.Settings {
		v := given[s.Key]
		if v == "" && s.Secret && sameEndpoint(kind, given, stored) {
			v = stored[s.Key]
		}
		if v = cmp.Or(v, s.Default); v != "" {
			out[s.Key] = v
		}
	}
	return out
}

// sameEndpoint guards stored secrets: they are tried only against the hosts
// they were stored for, never against one just typed in.
func sameEndpoint(kind inbox.Channel, now, stored map[string]string) bool {
	for _, s := range kind.Settings {
		if !s.Secret && endpoint(s.Key) && cmp.Or(now[s.Key], s.Default) != cmp.Or(stored[s.Key], s.Default) {
			return false
		}
	}
	return true
}

// endpoint says whether a setting is where a connection goes, by the names that settings have.
func endpoint(key string) bool {
	for _, end := range []string{"host", "url", "_address", "_port", "provider", "tenant"} {
		if strings.HasSuffix(key, end) {
			return true
		}
	}
	return false
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
