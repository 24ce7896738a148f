package mastodon

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

const (
	maxFiles = 4
	maxFile  = 16 << 20 // of an image; instances allow more for video
	maxFetch = 100 << 20
)

// upload gives the instance a file and waits until it can be posted ("POST /api/v2/media").
func (a *Adapter) upload(ctx context.Context, id string, c config, at channel.Attachment) (string, error) {
	data, err := a.deps.Blobs.Get(ctx, at.Blob)
	if err != nil {
		return "", fmt.Errorf("open attachment: %w", err)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	name := strings.NewReplacer(`"`, "", `\`, "").Replace(cmp.Or(hosted.FileName(at.Name), "file"))
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf(`form-data; name="file"; filename="%s"`, name)},
		"Content-Type":        {cmp.Or(at.ContentType, "application/octet-stream")},
	})
	if err == nil {
		_, err = part.Write(data)
	}
	if err := errors.Join(err, form.Close()); err != nil {
		return "", fmt.Errorf("write form: %w", err)
	}
	var got media
	status, err := a.call(ctx, id, c, request{method: http.MethodPost, path: "/api/v2/media", body: body.Bytes(), kind: form.FormDataContentType()}, &got)
	if errors.Is(err, hosted.ErrUnknown) {
		return "", errors.New("upload attachment: the instance's answer was lost") // nobody is shown it: again
	}
	if err != nil {
		return "", err
	}
	if got.ID == "" {
		return "", errors.New("upload attachment: the instance names none")
	}
	const patience = 20
	for wait := 0; status == http.StatusAccepted || status == http.StatusPartialContent; wait++ {
		if wait == patience || !hosted.Pause(ctx, time.Second) {
			return "", errors.New("upload attachment: the instance is still at it")
		}
		status, err = a.call(ctx, id, c, request{method: http.MethodGet, path: "/api/v1/media/" + url.PathEscape(got.ID)}, nil)
		if err != nil {
			return "", err
		}
	}
	return got.ID, nil
}

// Fetch gets a file, which everybody may who knows its address: no credentials go there.
func (a *Adapter) Fetch(ctx context.Context, inboxID string, at channel.Attachment) (io.ReadCloser, error) {
	u, err := url.Parse(at.Remote)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("%w: it has no address", channel.ErrGone)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.Remote, nil)
	if err != nil {
		return nil, hosted.Scrub(err)
	}
	rc, err := a.files.Open(inboxID, r, maxFetch)
	if errors.Is(err, channel.ErrNeedsAttention) { // it asks for a login that we do not have
		return nil, fmt.Errorf("%w: it is not for everybody", channel.ErrGone)
	}
	return rc, err
}
