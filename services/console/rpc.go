package console

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	consolev1 "github.com/weftline/weftline/pkg/weftline/console/v1"
	"github.com/weftline/weftline/pkg/weftline/console/v1/consolev1connect"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/bodysize"
	"github.com/weftline/weftline/services/internal/docstore"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// rpc implements ConsoleService. The caller is in the context: the handler is
// mounted behind authenticated.
type rpc struct{ *Console }

var _ consolev1connect.ConsoleServiceHandler = rpc{}

// maxRequest bounds a request's message, in bytes.
const maxRequest = 1 << 20

func (c *Console) rpcHandler() http.Handler {
	_, h := consolev1connect.NewConsoleServiceHandler(rpc{c}, connect.WithReadMaxBytes(maxRequest))
	return bodysize.Refuse(maxRequest, h)
}

// agentOnly refuses API tokens; ownerOnly refuses all but owners.
func agentOnly(ctx context.Context) (actor.Actor, error) {
	who, ok := actor.From(ctx)
	if !ok {
		return who, connect.NewError(connect.CodeUnauthenticated, errors.New("log in"))
	}
	if who.Kind != actor.KindAgent {
		return who, connect.NewError(connect.CodePermissionDenied, errors.New("for agents, not for API tokens"))
	}
	return who, nil
}

func ownerOnly(ctx context.Context) (actor.Actor, error) {
	who, err := agentOnly(ctx)
	if err == nil && !who.Owner {
		err = connect.NewError(connect.CodePermissionDenied, errors.New("for owners only"))
	}
	return who, err
}

// coded turns an error into Connect's; those of the fields are the caller's to mend.
func (c *Console) coded(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, docstore.ErrNotFound):
		return connect.NewError(connect.CodeNotFound, errors.New("no such thing"))
	case errors.Is(err, docstore.ErrStale), errors.Is(err, docstore.ErrExists):
		return connect.NewError(connect.CodeAborted, errors.New("changed meanwhile: load it again"))
	case ctx.Err() != nil:
		return connect.NewError(connect.CodeCanceled, ctx.Err())
	}
	if field, _, ok := strings.Cut(err.Error(), ":"); ok && !strings.Contains(field, " ") {
		return connect.NewError(connect.CodeInvalidArgument, err)
	}
	c.deps.Log.Error("console call failed", "error", err)
	return connect.NewError(connect.CodeInternal, errors.New("something went wrong on our side"))
}

func (r rpc) GetSession(ctx context.Context, _ *consolev1.GetSessionRequest) (*consolev1.GetSessionResponse, error) {
	who, err := agentOnly(ctx)
	if err != nil {
		return nil, err
	}
	a, err := r.agents.get(ctx, who.ID)
	if err != nil {
		return nil, r.coded(ctx, err)
	}
	return &consolev1.GetSessionResponse{Agent: agentProto(a, true), Workspace: r.cfg.Workspace, Build: r.cfg.Build, DemoUrl: r.cfg.DemoURL}, nil
}

func agentProto(a agentDoc, private bool) *consolev1.Agent {
	p := &consolev1.Agent{Id: a.ID, Name: a.Name, Disabled: a.Disabled, Role: consolev1.Role_ROLE_AGENT}
	if a.Owner {
		p.Role = consolev1.Role_ROLE_OWNER
	}
	if private {
		p.Email = a.Email
	}
	return p
}

func (r rpc) ListAgents(ctx context.Context, _ *consolev1.ListAgentsRequest) (*consolev1.ListAgentsResponse, error) {
	who, err := agentOnly(ctx)
	if err != nil {
		return nil, err
	}
	list, err := r.agents.all(ctx)
	if err != nil {
		return nil, r.coded(ctx, err)
	}
	res := &consolev1.ListAgentsResponse{}
	for _, a := range list {
		res.Agents = append(res.Agents, agentProto(a, who.Owner || a.ID == who.ID))
	}
	return res, nil
}

// SaveAgent: a changed password or a disabled agent ends all his sessions; a
// changed role counts from the next call on.
func (r rpc) SaveAgent(ctx context.Context, req *consolev1.SaveAgentRequest) (*consolev1.SaveAgentResponse, error) {
	res, err := r.saveAgent(ctx, req)
	e := audit.Entry{Action: audit.RightAgentChanged, Object: audit.ID(req.GetAgent().GetId()), IDs: map[string]string{
		"role":     strings.ToLower(strings.TrimPrefix(req.GetAgent().GetRole().String(), "ROLE_")),
		"disabled": strconv.FormatBool(req.GetAgent().GetDisabled()),
	}}
	if req.GetAgent().GetId() == "" {
		e.Action, e.Object = audit.RightAgentAdded, res.GetAgent().GetId()
	} else if req.GetPassword() != "" {
		e.Action = audit.RightPassword // and perhaps more, which the ids say
	}
	return res, r.did(ctx, e, err)
}

func (r rpc) saveAgent(ctx context.Context, req *consolev1.SaveAgentRequest) (*consolev1.SaveAgentResponse, error) {
	if _, err := ownerOnly(ctx); err != nil {
		return nil, err
	}
	in := req.GetAgent()
	if in.GetRole() != consolev1.Role_ROLE_AGENT && in.GetRole() != consolev1.Role_ROLE_OWNER {
		return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("role: required: ROLE_AGENT or ROLE_OWNER"))
	}
	saved, err := r.agents.save(ctx, agentDoc{
		ID: in.GetId(), Name: in.GetName(), Email: in.GetEmail(),
		Owner: in.GetRole() == consolev1.Role_ROLE_OWNER, Disabled: in.GetDisabled(),
	}, req.GetPassword())
	if err != nil {
		return nil, r.coded(ctx, err)
	}
	if in.GetId() != "" && (req.GetPassword() != "" || saved.Disabled) {
		if err := r.sessions.endAll(ctx, saved.ID, ""); err != nil {
			return nil, r.coded(ctx, err)
		}
		r.sockets.close(saved.ID, "")
	}
	return &consolev1.SaveAgentResponse{Agent: agentProto(saved, true)}, nil
}

func (r rpc) ListTokens(ctx context.Context, _ *consolev1.ListTokensRequest) (*consolev1.ListTokensResponse, error) {
	if _, err := ownerOnly(ctx); err != nil {
		return nil, err
	}
	list, err := r.tokens.list(ctx)
	if err != nil {
		return nil, r.coded(ctx, err)
	}
	res := &consolev1.ListTokensResponse{}
	for _, t := range list {
		res.Tokens = append(res.Tokens, r.tokenProto(t))
	}
	return res, nil
}

func (r rpc) tokenProto(t tokenDoc) *consolev1.Token {
	return &consolev1.Token{Id: t.ID, Name: t.Name, Scopes: t.Scopes, CreatedAt: timestamppb.New(t.Created), LastUsedAt: stamp(r.tokens.lastUsed(t.ID))}
}

// stamp leaves a time that never was unset.
func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func (r rpc) CreateToken(ctx context.Context, req *consolev1.CreateTokenRequest) (*consolev1.CreateTokenResponse, error) {
	if _, err := ownerOnly(ctx); err != nil {
		return nil, r.did(ctx, audit.Entry{Action: audit.RightTokenMade}, err)
	}
	t, sec, err := r.makeToken(ctx, req.GetName(), req.GetScopes())
	if err != nil {
		return nil, err
	}
	return &consolev1.CreateTokenResponse{Token: r.tokenProto(t), Secret: sec}, nil
}

func (r rpc) RevokeToken(ctx context.Context, req *consolev1.RevokeTokenRequest) (*consolev1.RevokeTokenResponse, error) {
	_, err := ownerOnly(ctx)
	if err == nil {
		err = r.coded(ctx, r.tokens.revoke(ctx, req.GetId()))
	}
	return &consolev1.RevokeTokenResponse{}, r.did(ctx, audit.Entry{Action: audit.RightTokenRevoked, Object: audit.ID(req.GetId())}, err)
}

// makeToken makes an API token and records it. One that could not be recorded
// is taken back: its secret goes to nobody.
func (c *Console) makeToken(ctx context.Context, name string, scopes []string) (tokenDoc, string, error) {
	t, sec, err := c.tokens.create(ctx, name, scopes)
	e := audit.Entry{Action: audit.RightTokenMade}
	if err == nil {
		e.Object, e.IDs = t.ID, map[string]string{"scopes": strings.Join(t.Scopes, ",")}
	}
	if recorded := c.did(ctx, e, c.coded(ctx, err)); recorded != nil {
		if err == nil {
			recorded = errors.Join(recorded, c.tokens.revoke(context.WithoutCancel(ctx), t.ID))
		}
		return t, "", recorded
	}
	return t, sec, nil
}

// CreateToken makes an API token outside of RPC, for `hub token create`.
func (c *Console) CreateToken(ctx context.Context, name string, scopes []string) (string, error) {
	_, sec, err := c.makeToken(ctx, name, scopes)
	if coded, ok := errors.AsType[*connect.Error](err); ok {
		err = errors.New(coded.Message()) // the code is for RPC
	}
	return sec, err
}

// EnsureOwner creates the owner when no agent exists yet; otherwise it does nothing.
func (c *Console) EnsureOwner(ctx context.Context, name, email, password string) error {
	if name == "" {
		name, _, _ = strings.Cut(email, "@")
	}
	a, err := c.agents.createOwner(ctx, name, email, password)
	if errors.Is(err, errSetupDone) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.did(ctx, audit.Entry{Action: audit.RightAgentAdded, Object: a.ID, IDs: map[string]string{"role": "owner"}}, nil)
}

// HasAgents says whether the first run is over.
func (c *Console) HasAgents(ctx context.Context) (bool, error) { return c.agents.any(ctx) }

// FindAgent finds an agent by id or e-mail address, also one who may not log in any more.
func (c *Console) FindAgent(ctx context.Context, ref string) (id string, ok bool) {
	if a, err := c.agents.get(ctx, ref); err == nil {
		return a.ID, true
	}
	a, err := c.agents.byEmail(ctx, ref)
	return a.ID, err == nil
}
