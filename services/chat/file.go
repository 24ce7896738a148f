package chat

import (
	"context"
	"errors"
	"mime"
	"net/http"

	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/file"
	"github.com/weftline/weftline/services/internal/handleid"
)

// OpenFile reads an attachment by the id the transcript gave. An unknown or
// erased one is blob.ErrNotFound.
type OpenFile func(ctx context.Context, inbox, id string) ([]byte, error)

// serveFile is GET /chat/{inbox}/files/{id}. The id is a reference this hub
// made when it showed the file to this very handle; every other one is 404.
func (a *Adapter) serveFile(w http.ResponseWriter, r *http.Request) {
	c, ok := a.admit(w, r)
	if !ok {
		return
	}
	t, ok := a.holder(w, r, c)
	if !ok {
		return
	}
	f, ok := a.openFileRef(r.PathValue("id"))
	if !ok || f.Handle != handleid.Of(a.d.Keys, handle(c.ID, t.Address)) {
		http.NotFound(w, r)
		return
	}
	data, err := a.readFile(r.Context(), c.ID, f)
	if errors.Is(err, blob.ErrNotFound) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		a.log.Error("chat file not read", "inbox", c.ID, "error", err)
		http.Error(w, "the file could not be read", http.StatusServiceUnavailable)
		return
	}
	kind, disposition := "application/octet-stream", "attachment"
	if shown := file.Picture(data); shown != "" {
		kind, disposition = shown, "inline"
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	if v := mime.FormatMediaType(disposition, map[string]string{"filename": cleanName(f.Name)}); v != "" {
		disposition = v
	}
	h.Set("Content-Disposition", disposition)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-store")
	w.Write(data)
}

func (a *Adapter) readFile(ctx context.Context, inbox string, f fileRef) ([]byte, error) {
	if f.Blob != "" {
		return a.d.Blobs.Get(ctx, f.Blob)
	}
	if a.d.OpenFile != nil {
		return a.d.OpenFile(ctx, inbox, f.ID)
	}
	return a.d.Blobs.Get(ctx, f.ID)
}
