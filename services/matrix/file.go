package matrix

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// maxFetch is the largest file that is taken.
const maxFetch = 100 << 20

// isMedia says whether it is a content URI: "mxc://server/id" ("Content repository").
func isMedia(s string) bool {
	server, id, ok := mediaOf(s)
	return ok && server != "" && id != ""
}

func mediaOf(s string) (server, id string, ok bool) {
	rest, ok := strings.CutPrefix(s, "mxc://")
	if !ok || len(s) > 1000 {
		return "", "", false
	}
	server, id, ok = strings.Cut(rest, "/")
	if strings.ContainsAny(id, "/?#") || server == "." || server == ".." || id == "." || id == ".." || strings.ContainsAny(server, "?#") {
		return "", "", false
	}
	return server, id, ok
}

// upload puts a file into the content repository and gives the message that shows it.
func (a *Adapter) upload(ctx context.Context, id string, c config, at channel.Attachment) (map[string]any, error) {
	data, err := a.deps.Blobs.Get(ctx, at.Blob)
	if err != nil {
		return nil, fmt.Errorf("open attachment: %w", err)
	}
	name := cmp.Or(hosted.FileName(at.Name), "file")
	kind := cmp.Or(at.ContentType, "application/octet-stream")
	var got struct {
		URI string `json:"content_uri"`
	}
	err = a.raw(ctx, id, c, http.MethodPost, "/_matrix/media/v3/upload?"+url.Values{"filename": {name}}.Encode(), kind, data, &got)
	if errors.Is(err, hosted.ErrUnknown) {
		// A file that nobody is shown: it is put there again.
		return nil, errors.New("upload attachment: the homeserver's answer was lost")
	}
	if err != nil {
		return nil, err
	}
	if !isMedia(got.URI) {
		return nil, errors.New("upload attachment: the homeserver names no content")
	}
	shown := "m.file"
	for prefix, as := range map[string]string{"image/": "m.image", "audio/": "m.audio", "video/": "m.video"} {
		if strings.HasPrefix(kind, prefix) {
			shown = as
		}
	}
	return map[string]any{
		"msgtype": shown, "body": name, "filename": name, "url": got.URI, "info": map[string]any{"mimetype": kind, "size": len(data)},
	}, nil
}

// Fetch gets a file: with the account's token, else as homeservers before version 1.11 of the specification give it.
func (a *Adapter) Fetch(ctx context.Context, inboxID string, at channel.Attachment) (io.ReadCloser, error) {
	c, err := a.config(inboxID)
	if err != nil {
		return nil, err
	}
	server, media, ok := mediaOf(at.Remote)
	if !ok {
		return nil, fmt.Errorf("%w: it is no content of a homeserver", channel.ErrGone)
	}
	token, err := a.token(ctx, inboxID, c, "")
	if err != nil {
		return nil, err
	}
	found, err := a.download(ctx, inboxID, c, token, server, media)
	if errors.Is(err, channel.ErrNeedsAttention) && c.token == "" { // the session has ended
		if token, err = a.token(ctx, inboxID, c, token); err != nil {
			return nil, err
		}
		found, err = a.download(ctx, inboxID, c, token, server, media)
	}
	return found, err
}

func (a *Adapter) download(ctx context.Context, inboxID string, c config, token, server, media string) (found io.ReadCloser, err error) {
	for _, where := range []string{"/_matrix/client/v1/media/download/%s/%s", "/_matrix/media/v3/download/%s/%s"} {
		r, rerr := http.NewRequestWithContext(ctx, http.MethodGet, c.server+path(where, server, media), nil)
		if rerr != nil {
			return nil, hosted.Scrub(rerr)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		if found, err = a.caller.Open(inboxID, r, maxFetch); err == nil || !errors.Is(err, channel.ErrGone) {
			break
		}
	}
	return found, err
}
