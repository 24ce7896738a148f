package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/blob"
)

// maxUpload is the largest attachment, in bytes.
const maxUpload = 10 << 20

var errNoUpload = errors.New("no such upload")

// serveUpload is POST /chat/{inbox}/upload: the body is the file, its name is
// in the header X-File-Name (percent-encoded), the ticket in Authorization.
func (a *Adapter) serveUpload(w http.ResponseWriter, r *http.Request) {
	c, ok := a.admit(w, r)
	if !ok {
		return
	}
	if !a.checkRequest(c, r) {
		http.Error(w, "origin is not allowed", http.StatusForbidden)
		return
	}
	t, ok := a.holder(w, r, c)
	if !ok {
		return
	}
	if wait, ok := a.limits.take("upload", c.ID+"/"+t.Visitor, c.Uploads, time.Minute); !ok {
		a.tooMany(w, "upload", wait)
		return
	}
	if r.ContentLength > maxUpload {
		http.Error(w, "a file may have at most 10 MB", http.StatusRequestEntityTooLarge)
		return
	}
	head := make([]byte, 512)
	n, err := io.ReadFull(r.Body, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		http.Error(w, "the file is empty or broken off", http.StatusBadRequest)
		return
	}
	head = head[:n]
	kind, ok := sniff(head)
	if !ok {
		http.Error(w, "this kind of file is not taken", http.StatusUnsupportedMediaType)
		return
	}
	id := ulid.Make().String()
	key, size, err := a.d.Blobs.Put(r.Context(), uploadKey(id), io.MultiReader(bytes.NewReader(head), r.Body), maxUpload)
	if errors.Is(err, blob.ErrTooLarge) {
		http.Error(w, "a file may have at most 10 MB", http.StatusRequestEntityTooLarge)
		return
	}
	name, _ := c.Mask.Text(cleanName(headerName(r))) // names are kept in clear
	up := uploadState{Inbox: c.ID, Address: t.Address, Blob: key, Name: name, Type: kind, Size: size, At: a.d.Now().UTC()}
	if err == nil {
		err = a.store(r.Context(), colUpload, id, up)
	}
	if err != nil {
		a.log.Error("chat upload not stored", "inbox", c.ID, "error", err)
		http.Error(w, "the file could not be stored", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	json.NewEncoder(w).Encode(uploadReply{ID: id, Name: up.Name, Type: kind, Size: size})
}

// uploadKey names the data key of an upload's file.
func uploadKey(id string) string { return "blob/" + id }

// uploads finds the files a message names; each must be the sender's own.
func (a *Adapter) uploads(ctx context.Context, inbox, address string, ids []string) ([]channel.Attachment, error) {
	var list []channel.Attachment
	for _, id := range ids {
		if _, err := ulid.ParseStrict(id); err != nil {
			return nil, errNoUpload
		}
		var up uploadState
		found, err := a.load(ctx, colUpload, id, &up)
		if err != nil {
			return nil, err
		}
		if !found || up.Inbox != inbox || up.Address != address {
			return nil, errNoUpload
		}
		// Marked before the message is accepted: a file too many is kept, never one too few.
		if !up.Used {
			up.Used = true
			if err := a.store(ctx, colUpload, id, up); err != nil {
				return nil, err
			}
		}
		list = append(list, channel.Attachment{Name: up.Name, ContentType: up.Type, Size: up.Size, Blob: up.Blob})
	}
	return list, nil
}

// sniff names a file by its content. What a browser might run is not taken.
func sniff(head []byte) (string, bool) {
	kind, _, err := mime.ParseMediaType(http.DetectContentType(head))
	if err != nil {
		return "", false
	}
	low := bytes.ToLower(head)
	for _, tag := range []string{"<html", "<script", "<svg", "<!doctype html", "<?xml", "<!entity", "<xsl:"} {
		if strings.HasPrefix(kind, "text/") && bytes.Contains(low, []byte(tag)) {
			return "", false
		}
	}
	return kind, kind != "text/html" && kind != "text/xml"
}

func headerName(r *http.Request) string {
	v := r.Header.Get("X-File-Name")
	if len(v) > 4096 {
		return ""
	}
	name, err := url.PathUnescape(v)
	if err != nil {
		return v
	}
	return name
}

// holder reads the ticket and checks it against the inbox as it is now.
func (a *Adapter) holder(w http.ResponseWriter, r *http.Request, c *config) (ticket, bool) {
	s, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	t, ok := a.openTicket(c.ID, s)
	loggedIn := strings.HasPrefix(t.Address, loginAddress(""))
	if !ok || c.Identity == identityRequired && !loggedIn || c.Identity == identityAnonymous && loggedIn {
		http.Error(w, "ticket is not valid", http.StatusUnauthorized)
		return t, false
	}
	return t, true
}

func (a *Adapter) tooMany(w http.ResponseWriter, what string, wait time.Duration) {
	a.metrics.limited.WithLabelValues(what).Inc()
	w.Header().Set("Retry-After", fmt.Sprint(int64(wait/time.Second)+1))
	http.Error(w, "too many requests", http.StatusTooManyRequests)
}
