package rpc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"connectrpc.com/connect"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
)

// Audit keeps who read and did what; *audit.Log is meant.
type Audit interface {
	// Record takes an entry that is on disk soon: reads.
	Record(ctx context.Context, e audit.Entry) error
	// RecordSync returns when it is on disk: what changes something.
	RecordSync(ctx context.Context, e audit.Entry) error
}

// Guard watches who reads very much; *audit.Guard is meant.
type Guard interface {
	Reads(ctx context.Context, thing string) (wait time.Duration, err error)
}

// Did records a change with its outcome before it is answered, and returns the
// error to answer with: err, or that it could not be recorded. Why somebody
// wanted it is kept of what was done.
func (s *Server) Did(ctx context.Context, e audit.Entry, err error) error {
	if err != nil {
		err = s.Refuse(ctx, err)
	}
	if e.Outcome, e.Reason = audit.Outcome(err); err != nil {
		e.Why = ""
	}
	if lost := s.Audit.RecordSync(ctx, e); lost != nil {
		return errors.Join(err, s.unrecorded(ctx, lost))
	}
	return err
}

// read records what an actor was shown. Without a record there is no answer.
// What the hub reads for itself (a visitor's own transcript) is not recorded.
func (s *Server) read(ctx context.Context, e audit.Entry) error {
	if who, _ := actor.From(ctx); who.Kind == actor.KindSystem {
		return nil
	}
	if err := s.Audit.Record(ctx, e); err != nil {
		return s.unrecorded(ctx, err)
	}
	return nil
}

func (s *Server) unrecorded(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "audit entry not recorded", "err", err)
	}
	return connect.NewError(connect.CodeUnavailable, errors.New("this cannot be recorded in the audit log just now, so it is not answered"))
}

// mayRead refuses who reads very much: resource_exhausted, with the seconds to
// wait in Retry-After.
func (s *Server) mayRead(ctx context.Context, thing string) error {
	wait, err := s.Guard.Reads(ctx, thing)
	if err != nil {
		return s.unrecorded(ctx, err)
	}
	if wait <= 0 {
		return nil
	}
	refused := connect.NewError(connect.CodeResourceExhausted, fmt.Errorf("you have read very much in the last ten minutes: wait %s", wait.Round(time.Second)))
	refused.Meta().Set("Retry-After", seconds(wait))
	return refused
}

func seconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }

// mayDownload is mayRead for files, which are answered over plain HTTP.
func (s *Server) mayDownload(w http.ResponseWriter, r *http.Request, thing string) bool {
	err := s.mayRead(r.Context(), thing)
	if err == nil {
		return true
	}
	s.refuseDownload(w, err)
	return false
}

// downloaded records a file before its bytes go out.
func (s *Server) downloaded(w http.ResponseWriter, r *http.Request, e audit.Entry) bool {
	err := s.read(r.Context(), e)
	if err == nil {
		return true
	}
	s.refuseDownload(w, err)
	return false
}

func (s *Server) refuseDownload(w http.ResponseWriter, err error) {
	status := http.StatusServiceUnavailable
	refused, ok := errors.AsType[*connect.Error](err)
	if ok && refused.Code() == connect.CodeResourceExhausted {
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", refused.Meta().Get("Retry-After"))
	}
	http.Error(w, refused.Message(), status)
}
