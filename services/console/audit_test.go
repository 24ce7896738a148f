package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	consolev1 "github.com/weftline/weftline/pkg/weftline/console/v1"
	"github.com/weftline/weftline/pkg/weftline/console/v1/consolev1connect"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
)

// ledger is an audit log in memory; the real one is in the hub's stories.
type ledger struct {
	mu      sync.Mutex
	entries []audit.Entry
	broken  error
}

func (l *ledger) Record(ctx context.Context, e audit.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return l.broken
	}
	if who, ok := actor.From(ctx); ok {
		e.Actor, e.Kind, e.From = who.ID, who.Kind, who.From
	}
	l.entries = append(l.entries, e)
	return nil
}

func (l *ledger) RecordSync(ctx context.Context, e audit.Entry) error { return l.Record(ctx, e) }

func (l *ledger) List(_ context.Context, f audit.Filter, limit int, token string) ([]audit.Listed, string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if token != "" {
		return nil, "", audit.ErrBadToken
	}
	var out []audit.Listed
	for i := len(l.entries) - 1; i >= 0 && len(out) < limit; i-- {
		if e := l.entries[i]; f.Action == "" || f.Action == e.Action {
			out = append(out, audit.Listed{N: uint64(i + 1), Entry: e})
		}
	}
	return out, "more", nil
}

// take returns what was recorded since, a line each, without ids that differ.
func (l *ledger) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, e := range l.entries {
		line := strings.TrimSpace(e.Action + " " + e.Outcome)
		if e.Reason != "" {
			line += " " + e.Reason
		}
		if e.From != "" && e.From != "127.0.0.1" {
			line += " from " + e.From
		}
		out = append(out, line)
	}
	l.entries = nil
	return out
}

func (l *ledger) brake(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = err
}

func (b *bundle) recorded(t *testing.T, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, b.audit.take()); d != "" {
		t.Fatal(d)
	}
}

func TestAuditOfTheDoor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	b.recorded(t, "right.agent_added ok", "login ok")
	b.form(t, browser(), "/login", url.Values{"email": {"olga@example.org"}, "password": {"wrong horse"}})
	b.form(t, browser(), "/login", url.Values{"email": {"nobody@example.org"}, "password": {"wrong horse"}})
	b.audit.mu.Lock()
	for _, e := range b.audit.entries {
		if known := e.Object != ""; known != (e.Reason == "password") || strings.Contains(fmt.Sprint(e), "example.org") || e.From != "127.0.0.1" {
			t.Errorf("%+v", e)
		}
	}
	b.audit.mu.Unlock()
	b.recorded(t, "login.failed refused password", "login.failed refused unknown_agent")
	b.form(t, b.http, "/logout", nil)
	b.recorded(t, "logout ok")
	limited := false
	for range 12 {
		res := b.form(t, browser(), "/login", url.Values{"email": {"olga@example.org"}, "password": {"wrong horse"}})
		limited = limited || res.StatusCode == http.StatusTooManyRequests
	}
	if got := b.audit.take(); !limited || got[len(got)-1] != "login.limited refused resource_exhausted" {
		t.Fatalf("%v %v", limited, got)
	}
}

func TestAuditOfRights(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	b.audit.take()
	ctx := t.Context()
	desk := consolev1connect.NewConsoleServiceClient(b.http, b.srv.URL)
	bob := &consolev1.Agent{Name: "Bob", Email: "bob@example.org", Role: consolev1.Role_ROLE_AGENT}
	saved, err := desk.SaveAgent(ctx, &consolev1.SaveAgentRequest{Agent: bob, Password: "a long password"})
	if err != nil {
		t.Fatal(err)
	}
	b.recorded(t, "right.agent_added ok")
	bob = saved.GetAgent()
	if _, err := desk.SaveAgent(ctx, &consolev1.SaveAgentRequest{Agent: bob, Password: "short"}); err == nil {
		t.Fatal("a short password was taken")
	}
	if _, err := desk.SaveAgent(ctx, &consolev1.SaveAgentRequest{Agent: bob}); err != nil {
		t.Fatal(err)
	}
	b.recorded(t, "right.password_changed refused invalid_argument", "right.agent_changed ok")
	tok, err := desk.CreateToken(ctx, &consolev1.CreateTokenRequest{Name: "crm", Scopes: []string{"inbox"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := desk.RevokeToken(ctx, &consolev1.RevokeTokenRequest{Id: tok.GetToken().GetId()}); err != nil {
		t.Fatal(err)
	}
	b.audit.mu.Lock()
	if e := b.audit.entries; e[0].Object != tok.GetToken().GetId() || e[1].Object != tok.GetToken().GetId() || e[0].IDs["scopes"] != "inbox" {
		t.Errorf("%+v", e)
	}
	b.audit.mu.Unlock()
	b.recorded(t, "right.token_made ok", "right.token_revoked ok")
	in, err := desk.SaveInbox(ctx, &consolev1.SaveInboxRequest{Inbox: &consolev1.Inbox{Id: "support", Channel: "email", Name: "Support", Settings: map[string]string{"imap_host": "h"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := desk.SaveInbox(ctx, &consolev1.SaveInboxRequest{Inbox: in.GetInbox(), Delete: true}); err != nil {
		t.Fatal(err)
	}
	b.recorded(t, "right.inbox_saved ok", "right.inbox_deleted ok")

	// Who may not is recorded too.
	other := browser()
	b.form(t, other, "/login", url.Values{"email": {"bob@example.org"}, "password": {"a long password"}})
	b.audit.take()
	his := consolev1connect.NewConsoleServiceClient(other, b.srv.URL)
	for _, call := range []func() error{
		func() error {
			_, err := his.SaveAgent(ctx, &consolev1.SaveAgentRequest{Agent: bob})
			return err
		},
		func() error {
			_, err := his.CreateToken(ctx, &consolev1.CreateTokenRequest{Name: "x"})
			return err
		},
		func() error {
			_, err := his.RevokeToken(ctx, &consolev1.RevokeTokenRequest{Id: "x"})
			return err
		},
		func() error {
			_, err := his.SaveInbox(ctx, &consolev1.SaveInboxRequest{Inbox: &consolev1.Inbox{Channel: "email"}})
			return err
		},
		func() error { _, err := his.ListAudit(ctx, &consolev1.ListAuditRequest{}); return err },
	} {
		if connect.CodeOf(call()) != connect.CodePermissionDenied {
			t.Error("not refused")
		}
	}
	b.recorded(t, "right.agent_changed refused permission_denied", "right.token_made refused permission_denied",
		"right.token_revoked refused permission_denied", "right.inbox_saved refused permission_denied", "read.audit refused permission_denied")
}

func TestListAudit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	desk := consolev1connect.NewConsoleServiceClient(b.http, b.srv.URL)
	b.audit.mu.Lock()
	b.audit.entries = []audit.Entry{{
		At: time.Unix(1, 0), Actor: "a1", Kind: "agent", Action: audit.ReadTimeline, Customer: "c1", Conversation: "v1", Object: "o1",
		From: "192.0.2.1", Outcome: "refused", Reason: "resource_exhausted", IDs: map[string]string{"file": "0"},
	}}
	b.audit.mu.Unlock()
	res, err := desk.ListAudit(t.Context(), &consolev1.ListAuditRequest{Action: audit.ReadTimeline})
	if err != nil || len(res.GetEntries()) != 1 || res.GetNextPageToken() != "more" {
		t.Fatal(res, err)
	}
	e := res.GetEntries()[0]
	got := []string{
		fmt.Sprint(e.GetNumber(), e.GetAt().GetSeconds()), e.GetActor(), e.GetActorKind(), e.GetAction(), e.GetCustomerId(), e.GetConversationId(),
		e.GetObjectId(), e.GetFrom(), e.GetOutcome(), e.GetReason(), e.GetIds()["file"],
	}
	if d := cmp.Diff([]string{"1 1", "a1", "agent", "read.timeline", "c1", "v1", "o1", "192.0.2.1", "refused", "resource_exhausted", "0"}, got); d != "" {
		t.Error(d)
	}
	for _, bad := range []*consolev1.ListAuditRequest{{PageSize: 201}, {PageSize: -1}, {PageToken: "x"}} {
		if _, err := desk.ListAudit(t.Context(), bad); connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// While nothing can be recorded nobody gets in, no token is made, and who wants out gets out.
func TestAuditThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	desk := consolev1connect.NewConsoleServiceClient(b.http, b.srv.URL)
	b.audit.brake(audit.ErrClosed)
	res := b.form(t, browser(), "/login", url.Values{"email": {"olga@example.org"}, "password": {"correct horse"}})
	if res.StatusCode != http.StatusServiceUnavailable || len(res.Cookies()) != 0 {
		t.Fatalf("login: %s %v", res.Status, res.Cookies())
	}
	if _, err := desk.CreateToken(t.Context(), &consolev1.CreateTokenRequest{Name: "crm"}); connect.CodeOf(err) != connect.CodeUnavailable {
		t.Fatal(err)
	}
	if list, err := desk.ListTokens(t.Context(), &consolev1.ListTokensRequest{}); err != nil || len(list.GetTokens()) != 0 {
		t.Fatal(list, err)
	}
	b.form(t, b.http, "/logout", nil)
	if _, err := desk.GetSession(t.Context(), &consolev1.GetSessionRequest{}); connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Fatal(err)
	}
}
