package discord

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// maxFetch is what Discord takes at most of one file, of those who pay.
const maxFetch = 500 << 20

// fileName names a file of a form, by its place in it.
type fileName struct {
	ID   int    `json:"id"`
	Name string `json:"filename"`
}

// create sends one message ("Create Message"), with files as a form ("Uploading Files").
func (a *Adapter) create(ctx context.Context, inboxID string, c config, where string, m newMessage, files []channel.Attachment) (string, error) {
	path := "/channels/" + where + "/messages"
	var got struct {
		ID string `json:"id"`
	}
	var err error
	if len(files) == 0 {
		err = a.post(ctx, inboxID, c, path, m, &got)
	} else {
		var body bytes.Buffer
		kind := ""
		if kind, err = a.form(ctx, &body, m, files); err != nil {
			return "", err
		}
		err = a.call(ctx, inboxID, c, http.MethodPost, path, kind, body.Bytes(), &got)
	}
	if err == nil && !idForm.MatchString(got.ID) {
		err = fmt.Errorf("%w: Discord's answer has no id", hosted.ErrUnknown)
	}
	return got.ID, err
}

func (a *Adapter) form(ctx context.Context, body *bytes.Buffer, m newMessage, files []channel.Attachment) (kind string, err error) {
	names := make([]string, len(files))
	for i, at := range files {
		names[i] = cmp.Or(strings.NewReplacer(`"`, "", `\`, "").Replace(hosted.FileName(at.Name)), "file")
		m.Attachments = append(m.Attachments, fileName{i, names[i]})
	}
	said, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("encode request: %w", err)
	}
	form := multipart.NewWriter(body)
	add := func(name, file, kind string, data []byte) {
		h := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name="%s"`, name)}, "Content-Type": {kind}}
		if file != "" {
			h.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="%s"`, name, file))
		}
		part, errPart := form.CreatePart(h)
		if err = errors.Join(err, errPart); err == nil {
			_, err = part.Write(data)
		}
	}
	add("payload_json", "", "application/json", said)
	for i, at := range files {
		data, err := a.deps.Blobs.Get(ctx, at.Blob)
		if err != nil {
			return "", fmt.Errorf("open attachment: %w", err)
		}
		add(fmt.Sprintf("files[%d]", i), names[i], cmp.Or(at.ContentType, "application/octet-stream"), data)
	}
	if err := errors.Join(err, form.Close()); err != nil {
		return "", fmt.Errorf("write form: %w", err)
	}
	return form.FormDataContentType(), nil
}

// keeps says whether an address is where Discord, or the gateway of the settings, keeps files.
func (c config) keeps(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return false
	}
	if api, err := url.Parse(c.api); err == nil && c.api != usualAPI && u.Host == api.Host && u.Scheme == api.Scheme {
		return true
	}
	h := u.Hostname()
	return u.Scheme == "https" && u.Port() == "" && (h == "cdn.discordapp.com" || h == "media.discordapp.net")
}

// Fetch gets a file, which everybody may who knows its address: no credentials go
// there. The address is good for a day or so; then the message says another.
func (a *Adapter) Fetch(ctx context.Context, inboxID string, at channel.Attachment) (io.ReadCloser, error) {
	c, err := a.config(inboxID)
	if err != nil {
		return nil, err
	}
	part := strings.SplitN(at.Remote, " ", 4)
	if len(part) != 4 {
		return nil, fmt.Errorf("%w: it has no address", channel.ErrGone)
	}
	rc, err := a.open(ctx, inboxID, c, part[3])
	if !errors.Is(err, channel.ErrGone) {
		return rc, err
	}
	var m message
	err = a.get(ctx, inboxID, c, "/channels/"+part[0]+"/messages/"+part[1], &m)
	if refusedAs(err) {
		return nil, fmt.Errorf("%w: its message is gone: %w", channel.ErrGone, err)
	}
	if err != nil {
		return nil, fmt.Errorf("ask for a file's address: %w", err)
	}
	for _, f := range m.everyFile() {
		if f.ID == part[2] {
			return a.open(ctx, inboxID, c, f.URL)
		}
	}
	return nil, fmt.Errorf("%w: its message has it no more", channel.ErrGone)
}

// everyFile is also what is forwarded.
func (m message) everyFile() []attachment {
	all := m.Files
	for _, s := range m.Snapshots {
		all = append(all, s.Message.Files...)
	}
	return all
}

func (a *Adapter) open(ctx context.Context, inboxID string, c config, address string) (io.ReadCloser, error) {
	if !c.keeps(address) {
		return nil, fmt.Errorf("%w: its address is none of Discord's", channel.ErrGone)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, hosted.Scrub(err)
	}
	r.Header.Set("User-Agent", agent)
	rc, err := a.files.Open(inboxID, r, maxFetch)
	if errors.Is(err, channel.ErrNeedsAttention) { // the address is no good any more
		return nil, fmt.Errorf("%w: it is not for everybody", channel.ErrGone)
	}
	return rc, err
}
