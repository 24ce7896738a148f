package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"connectrpc.com/connect"
	consolev1 "github.com/weftline/weftline/pkg/weftline/console/v1"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/docstore"
)

// ChangePassword is an agent's own: the owner who gave him one then knows it no
// more. His other sessions end with the old one.
func (r rpc) ChangePassword(ctx context.Context, req *consolev1.ChangePasswordRequest) (*consolev1.ChangePasswordResponse, error) {
	who, err := agentOnly(ctx)
	if err == nil {
		err = r.changePassword(ctx, who.ID, req)
	}
	return &consolev1.ChangePasswordResponse{}, r.did(ctx, audit.Entry{Action: audit.RightPassword, Object: audit.ID(who.ID)}, err)
}

func (r rpc) changePassword(ctx context.Context, id string, req *consolev1.ChangePasswordRequest) error {
	if err := checkPassword("next", req.GetNext()); err != nil {
		return connect.NewError(connect.CodeInvalidArgument, err)
	}
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return connect.NewError(connect.CodeInternal, errors.New("not called over HTTP"))
	}
	q := &http.Request{Header: info.RequestHeader(), RemoteAddr: info.Peer().Addr}
	ck, err := q.Cookie(r.cookieName())
	if err != nil {
		return connect.NewError(connect.CodeUnauthenticated, errors.New("log in"))
	}
	a, err := r.agents.get(ctx, id)
	if err != nil {
		return r.coded(ctx, err)
	}
	// Whoever sits at an open console must not guess faster than at the door.
	if !r.limiter.allow(a.Email, clientNetwork(q), r.device(q, a)) {
		r.metrics.authFailures.WithLabelValues("limited").Inc()
		info.ResponseHeader().Set("Retry-After", "30")
		return connect.NewError(connect.CodeResourceExhausted, errors.New("too many attempts: wait 30 seconds, then try again"))
	}
	right, busy := r.gate.verify(ctx, a.Password, req.GetCurrent())
	if busy != nil {
		r.metrics.authFailures.WithLabelValues("busy").Inc()
		return connect.NewError(connect.CodeUnavailable, errors.New("many people are logging in just now: try again in a few seconds"))
	}
	if !right {
		r.metrics.authFailures.WithLabelValues("password").Inc()
		return connect.NewError(connect.CodeInvalidArgument, errors.New("current: is not your password"))
	}
	if a, err = r.agents.repassword(ctx, a, req.GetNext()); err != nil {
		return r.coded(ctx, err)
	}
	session := digest(ck.Value)
	if err := r.sessions.endAll(ctx, id, session); err != nil {
		return r.coded(ctx, err)
	}
	r.sockets.close(id, session)
	info.ResponseHeader().Add("Set-Cookie", r.rememberDevice(a).String()) // the former mark went with the password
	return nil
}

// repassword changes the password of an agent as he was read, and nothing else.
func (s *agents) repassword(ctx context.Context, was agentDoc, password string) (agentDoc, error) {
	hashed := hashPassword(password)
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.get(ctx, was.ID)
	if err != nil {
		return a, err
	}
	if a.Password != was.Password || a.Disabled {
		return a, docstore.ErrStale // the owner was faster
	}
	a.Password = hashed
	b, err := json.Marshal(a)
	if err != nil {
		return a, err
	}
	op := docstore.Op{Collection: "agents", Doc: docstore.Doc{ID: a.ID, Seq: a.Rev + 1, JSON: b}, IfRev: a.Rev}
	a.Rev++
	return a, s.docs.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}})
}
