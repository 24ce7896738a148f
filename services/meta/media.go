package meta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// maxFetch is more than any of the platforms hands over.
const maxFetch = 100 << 20

// hosts of Meta's that keep files.
var hosts = []string{"fbsbx.com", "fbcdn.net", "cdninstagram.com", "whatsapp.net", "facebook.com", "instagram.com"}

// keeps says whether an address is where Meta, or the gateway of the settings, keeps files.
func (c config) keeps(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return false
	}
	if api, err := url.Parse(c.api); err == nil && u.Host == api.Host && u.Scheme == api.Scheme {
		return true
	}
	return u.Scheme == "https" && u.Port() == "" && slices.ContainsFunc(hosts, func(h string) bool {
		return u.Hostname() == h || strings.HasSuffix(u.Hostname(), "."+h)
	})
}

// fetch opens a file; the token goes along only where bearer is set, and only to the hosts above.
func (p *platform) fetch(ctx context.Context, inboxID string, c config, address string, bearer bool) (io.ReadCloser, error) {
	if !c.keeps(address) {
		return nil, fmt.Errorf("%w: its address is none of Meta's", channel.ErrGone)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, hosted.Scrub(err)
	}
	if bearer {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	return p.caller.Open(inboxID, r, maxFetch)
}

// Fetch asks for the address of a file, which is good for five minutes, and opens it ("Media").
func (a *WhatsAppAdapter) Fetch(ctx context.Context, inboxID string, at channel.Attachment) (io.ReadCloser, error) {
	c, err := a.sending(inboxID)
	if err != nil {
		return nil, err
	}
	var media struct {
		URL string `json:"url"`
	}
	err = a.get(ctx, inboxID, c, url.PathEscape(at.Remote), "", &media)
	if _, no := errors.AsType[*refused](err); no {
		return nil, fmt.Errorf("%w: %w", channel.ErrGone, err)
	}
	if err != nil {
		return nil, err
	}
	return a.fetch(ctx, inboxID, c, media.URL, true)
}

// waFileKind is as what WhatsApp takes a file; what it does not show goes as a document.
func waFileKind(f channel.Attachment) string {
	switch f.ContentType {
	case "image/jpeg", "image/png":
		if f.Size <= 5<<20 {
			return "image"
		}
	case "video/mp4", "video/3gpp":
		if f.Size <= 16<<20 {
			return "video"
		}
	case "audio/aac", "audio/mp4", "audio/mpeg", "audio/amr", "audio/ogg":
		if f.Size <= 16<<20 {
			return "audio"
		}
	}
	return "document"
}

// attach uploads a file and makes it the content of a message.
func (a *WhatsAppAdapter) attach(ctx context.Context, inboxID string, c config, m *waSend, f channel.Attachment, caption string) error {
	data, err := a.deps.Blobs.Get(ctx, f.Blob)
	if err != nil {
		return fmt.Errorf("open attachment: %w", err)
	}
	r, err := form(ctx, c.address(c.account+"/media", nil), map[string]string{"messaging_product": "whatsapp", "type": f.ContentType}, "file", f, data)
	if err != nil {
		return err
	}
	var media struct {
		ID string `json:"id"`
	}
	err = a.do(inboxID, c, r, &media)
	if errors.Is(err, hosted.ErrUnknown) {
		return errors.New("the file could not be uploaded; nothing was sent")
	}
	if err != nil {
		return err
	}
	file := &waSendFile{ID: media.ID, Caption: caption}
	switch m.Kind = waFileKind(f); m.Kind {
	case "image":
		m.Image = file
	case "video":
		m.Video = file
	case "audio":
		file.Caption, m.Audio = "", file
	default:
		file.Filename, m.Document = hosted.FileName(f.Name), file
	}
	return nil
}

// form is a request with a file.
func form(ctx context.Context, address string, fields map[string]string, field string, f channel.Attachment, data []byte) (*http.Request, error) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for k, v := range fields {
		if err := w.WriteField(k, v); err != nil {
			return nil, fmt.Errorf("write form: %w", err)
		}
	}
	name := strings.NewReplacer(`"`, "", `\`, "").Replace(hosted.FileName(f.Name))
	if name == "" {
		name = "file"
	}
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", `form-data; name="`+field+`"; filename="`+name+`"`)
	h.Set("Content-Type", f.ContentType)
	part, err := w.CreatePart(h)
	if err == nil {
		_, err = part.Write(data)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, fmt.Errorf("write form: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, &body)
	if err != nil {
		return nil, hosted.Scrub(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	return r, nil
}
