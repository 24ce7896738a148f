package rpc

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/services/conversation/internal/export"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Exports is who makes archives; *export.Service is meant.
type Exports interface {
	Start(ctx context.Context, customers []string, actor, key string) (*export.Export, error)
	Get(ctx context.Context, id string) (*export.Export, error)
	Open(ctx context.Context, e *export.Export, w io.Writer) error
	Fetched(ctx context.Context, e *export.Export, actor string) error
}

// StartExport asks for an archive of everything about the customers named.
func (i Identity) StartExport(ctx context.Context, q *identityv1.StartExportRequest) (*identityv1.StartExportResponse, error) {
	who, _ := actor.From(ctx)
	for _, c := range q.GetCustomerIds() {
		if _, err := i.Reader.Customer(ctx, c); err != nil {
			return nil, i.notExported(ctx, q.GetCustomerIds(), err)
		}
	}
	e, err := i.Exports.Start(ctx, q.GetCustomerIds(), who.ID, keyOrNew(q.GetIdempotencyKey()))
	if err != nil {
		return nil, i.notExported(ctx, q.GetCustomerIds(), err)
	}
	return &identityv1.StartExportResponse{Export: showExport(e)}, nil
}

// notExported records that somebody wanted an archive and got none. What is
// made is recorded by who makes it.
func (i Identity) notExported(ctx context.Context, customers []string, err error) error {
	return i.Did(ctx, audit.Entry{Action: audit.ExportCustomer, Customer: one(customers), IDs: ids("customers", count(len(customers)))}, err)
}

// GetExport says how far it is.
func (i Identity) GetExport(ctx context.Context, q *identityv1.GetExportRequest) (*identityv1.GetExportResponse, error) {
	e, err := i.Exports.Get(ctx, q.GetExportId())
	if errors.Is(err, export.ErrNotFound) {
		return nil, query.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return &identityv1.GetExportResponse{Export: showExport(e)}, nil
}

func showExport(e *export.Export) *identityv1.Export {
	return &identityv1.Export{
		Id: e.ID, CustomerIds: e.Customers, State: e.State, Size: e.Size, Failure: e.Failure, Actor: e.Actor,
		StartedAt: timestamppb.New(e.StartedAt), ExpiresAt: timestamppb.New(e.ExpiresAt),
	}
}

// export serves GET /exports/{id}.
func (s *Server) export(w http.ResponseWriter, r *http.Request) {
	if !allowed(w, r) {
		return
	}
	e, err := s.Exports.Get(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, export.ErrNotFound):
		http.Error(w, "no such export", http.StatusNotFound)
		return
	case err != nil:
		s.refuseFile(w, r, err)
		return
	case e.State == export.Expired:
		http.Error(w, "the export is kept no more", http.StatusGone)
		return
	case e.State != export.Done:
		http.Error(w, "the export is not there yet: "+e.State, http.StatusConflict)
		return
	}
	who, _ := actor.From(r.Context())
	if err := s.Exports.Fetched(r.Context(), e, who.ID); err != nil {
		s.refuseFile(w, r, err)
		return
	}
	harmless(w, "application/zip")
	w.Header().Set("Content-Disposition", disposition("attachment", "export-"+e.StartedAt.Format("2006-01-02")+".zip"))
	w.Header().Set("Content-Length", strconv.FormatInt(e.Size, 10))
	if err := s.Exports.Open(r.Context(), e, w); err != nil {
		s.Log.ErrorContext(r.Context(), "export broken off", "export", e.ID, "err", err)
	}
}
