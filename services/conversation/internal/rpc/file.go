package rpc

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/weftline/weftline/pkg/channel"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/conversation/internal/view"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/file"
	"github.com/weftline/weftline/services/internal/intake"
)

// attachments checks uploaded files that go with a reply: they exist, and
// their size is what it is. Name and type are the uploader's, cleaned.
func (s *Server) attachments(ctx context.Context, in []*inboxv1.Attachment) ([]channel.Attachment, error) {
	if len(in) > command.LimitAttachments {
		return nil, field("attachments", fmt.Sprintf("must be at most %d, are %d", command.LimitAttachments, len(in)))
	}
	var out []channel.Attachment
	for i, a := range in {
		data, err := s.Blobs.Get(ctx, a.GetId())
		if errors.Is(err, blob.ErrNotFound) || a.GetId() == "" {
			return nil, field(fmt.Sprintf("attachments[%d].id", i), "is not an uploaded file")
		}
		if err != nil {
			return nil, fmt.Errorf("read uploaded file: %w", err)
		}
		kind, _, err := mime.ParseMediaType(a.GetContentType())
		if err != nil {
			kind = "application/octet-stream"
		}
		out = append(out, channel.Attachment{
			Name: file.CleanName(a.GetName()), ContentType: kind, Size: int64(len(data)), Blob: a.GetId(),
		})
	}
	return out, nil
}

// attachment serves GET /attachments/{id}.
func (s *Server) attachment(w http.ResponseWriter, r *http.Request) {
	if !allowed(w, r) {
		return
	}
	entry, index, err := s.Reader.View().ParseFileID(view.FileAttachment, r.PathValue("id"))
	if err != nil {
		http.Error(w, "no such file", http.StatusNotFound)
		return
	}
	e, a, err := s.Reader.Attachment(r.Context(), entry, index)
	if err != nil {
		s.refuseFile(w, r, err)
		return
	}
	if !s.mayDownload(w, r, "file/"+r.PathValue("id")) {
		return
	}
	var data []byte
	if a.Blob != "" {
		data, err = s.Blobs.Get(r.Context(), a.Blob)
	} else {
		data, err = s.part(r.Context(), e.Raw, e.Channel, a.Part)
	}
	if err != nil {
		s.refuseFile(w, r, err)
		return
	}
	if s.downloaded(w, r, audit.Entry{
		Action: audit.DownloadFile, Customer: e.Customer, Conversation: e.Conversation, Object: audit.ID(e.ID), IDs: map[string]string{"file": strconv.Itoa(index)},
	}) {
		serve(w, a.Name, data)
	}
}

func (s *Server) part(ctx context.Context, ref, ch, part string) ([]byte, error) {
	opener, ok := s.Parts(ch)
	if !ok || ref == "" {
		return nil, query.ErrNotFound
	}
	raw, err := s.Originals.Open(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("open original: %w", err)
	}
	data, _, err := opener.OpenPart(raw, part)
	if err != nil {
		return nil, fmt.Errorf("open part of original: %w", err)
	}
	return data, nil
}

// original serves GET /originals/{id}.
func (s *Server) original(w http.ResponseWriter, r *http.Request) {
	if !allowed(w, r) {
		return
	}
	id, _, err := s.Reader.View().ParseFileID(view.FileOriginal, r.PathValue("id"))
	if err != nil {
		http.Error(w, "no such file", http.StatusNotFound)
		return
	}
	e, err := s.Reader.Entry(r.Context(), id)
	if err != nil {
		s.refuseFile(w, r, err)
		return
	}
	if slices.Contains(e.Flags, ingest.FlagMasked) {
		http.Error(w, goneMasked, http.StatusGone)
		return
	}
	if !s.mayDownload(w, r, "file/"+r.PathValue("id")) {
		return
	}
	raw, err := s.Originals.Open(r.Context(), e.Raw)
	if err != nil {
		s.refuseFile(w, r, err)
		return
	}
	if !s.downloaded(w, r, audit.Entry{Action: audit.DownloadOriginal, Customer: e.Customer, Conversation: e.Conversation, Object: audit.ID(e.ID)}) {
		return
	}
	name := "message.bin"
	switch {
	case strings.HasPrefix(raw.ContentType, "message/rfc822"):
		name = "message.eml"
	case strings.Contains(raw.ContentType, "json"):
		name = "message.json"
	}
	download(w, name, "application/octet-stream", raw.Body)
}

const goneMasked = "the original was removed: card numbers or secrets in it were masked"

func allowed(w http.ResponseWriter, r *http.Request) bool {
	who, ok := actor.From(r.Context())
	switch {
	case !ok:
		http.Error(w, "a session or a token is required", http.StatusUnauthorized)
	case !who.May(scopeInbox):
		http.Error(w, `the token lacks the scope "inbox"`, http.StatusForbidden)
	default:
		return true
	}
	return false
}

func (s *Server) refuseFile(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, query.ErrNotFound), errors.Is(err, blob.ErrNotFound):
		http.Error(w, "no such file", http.StatusNotFound)
	case errors.Is(err, intake.ErrNoInput):
		http.Error(w, "the original is not kept any more", http.StatusGone)
	case errors.Is(err, crypt.ErrShredded):
		http.Error(w, "this file was erased", http.StatusGone)
	default:
		s.Log.ErrorContext(r.Context(), "file not readable", "err", err)
		http.Error(w, "the file cannot be read", http.StatusBadGateway)
	}
}

// serve shows pictures in place and everything else as a download. What is a
// picture is decided by its bytes, never by what a stranger called it: one that is
// damaged or too large to unpack is a file.
func serve(w http.ResponseWriter, name string, data []byte) {
	kind := file.Picture(data)
	if kind == "" {
		download(w, name, "application/octet-stream", data)
		return
	}
	harmless(w, kind)
	w.Header().Set("Content-Disposition", disposition("inline", name))
	_, _ = w.Write(data)
}

func download(w http.ResponseWriter, name, kind string, data []byte) {
	harmless(w, kind)
	w.Header().Set("Content-Disposition", disposition("attachment", name))
	_, _ = w.Write(data)
}

// harmless keeps a browser from doing anything with a stranger's file but showing or saving it.
func harmless(w http.ResponseWriter, kind string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// disposition is RFC 6266 with both forms of the name: ASCII for old clients, RFC 8187 for the rest.
func disposition(kind, name string) string {
	name = file.CleanName(name)
	ascii := strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, name)
	var ext strings.Builder
	for _, b := range []byte(name) {
		if b < 0x80 && (unicode.IsLetter(rune(b)) || unicode.IsDigit(rune(b)) || strings.IndexByte("!#$&+-.^_`|~", b) >= 0) {
			ext.WriteByte(b)
		} else {
			fmt.Fprintf(&ext, "%%%02X", b)
		}
	}
	return fmt.Sprintf(`%s; filename="%s"; filename*=UTF-8''%s`, kind, ascii, ext.String())
}
