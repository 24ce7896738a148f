package console

import (
	"bytes"
	"errors"
	"image"
	_ "image/gif" // formats that may be shown
	_ "image/jpeg"
	_ "image/png"
	"io"
	"net/http"
	"net/url"

	"connectrpc.com/connect"
	"github.com/weftline/weftline/services/internal/safedial"
)

// Limits of pictures fetched for an agent.
const (
	maxPicture       = 5 << 20
	maxPicturePixels = 40_000_000
)

// remoteImage fetches a picture a mail refers to, when an agent asks to see
// it: his browser never talks to the sender's server. Only public addresses,
// only raster formats, looked at again before they are passed on.
// GET /api/remote-image?url=…
func (c *Console) remoteImage(w http.ResponseWriter, r *http.Request) {
	u, err := url.Parse(r.FormValue("url"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || len(r.FormValue("url")) > 2048 {
		refuseField(w, r, "url", "must be an http or https URL of at most 2048 characters")
		return
	}
	u.User = nil
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, u.String(), nil)
	if err != nil {
		refuseField(w, r, "url", "is not valid")
		return
	}
	req.Header.Set("User-Agent", "Weftline")
	req.Header.Set("Accept", "image/png,image/jpeg,image/gif")
	res, err := c.pictures.Do(req)
	if errors.Is(err, safedial.ErrPrivate) {
		refuse(w, r, connect.CodePermissionDenied, "url: not a public address")
		return
	}
	if err != nil {
		refuse(w, r, connect.CodeUnavailable, "the picture could not be fetched")
		return
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxPicture+1))
	if err != nil || res.StatusCode != http.StatusOK || len(body) > maxPicture {
		refuse(w, r, connect.CodeUnavailable, "the picture could not be fetched")
		return
	}
	cfg, format, err := image.DecodeConfig(bytes.NewReader(body))
	if err != nil || cfg.Width*cfg.Height > maxPicturePixels {
		refuse(w, r, connect.CodeFailedPrecondition, "not a picture that can be shown")
		return
	}
	w.Header().Set("Content-Type", "image/"+format)
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	_, _ = w.Write(body)
}
