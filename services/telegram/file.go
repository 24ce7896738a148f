package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// upload is the request that sends a file: as a photo what Telegram shows as
// one, as a document everything else ("sendPhoto", "sendDocument").
func (a *Adapter) upload(ctx context.Context, c config, to int64, at channel.Attachment, caption string, reply *replyTo) (*http.Request, error) {
	data, err := a.deps.Blobs.Get(ctx, at.Blob)
	if err != nil {
		return nil, fmt.Errorf("open attachment: %w", err)
	}
	method, field := "sendDocument", "document"
	if len(data) <= maxPhoto && slices.Contains([]string{"image/jpeg", "image/png"}, at.ContentType) {
		method, field = "sendPhoto", "photo"
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	fields := map[string]string{"chat_id": strconv.FormatInt(to, 10)}
	if caption != "" {
		fields["caption"] = caption
	}
	if reply != nil {
		b, err := json.Marshal(reply)
		if err != nil {
			return nil, fmt.Errorf("encode reply_parameters: %w", err)
		}
		fields["reply_parameters"] = string(b)
	}
	for k, v := range fields {
		if err := form.WriteField(k, v); err != nil {
			return nil, fmt.Errorf("write form: %w", err)
		}
	}
	name := hosted.FileName(at.Name)
	if name == "" {
		name = "file"
	}
	part, err := form.CreateFormFile(field, name)
	if err == nil {
		_, err = part.Write(data)
	}
	if err := errors.Join(err, form.Close()); err != nil {
		return nil, fmt.Errorf("write form: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.api+"/bot"+c.token+"/"+method, &body)
	if err != nil {
		return nil, hosted.Scrub(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	return r, nil
}

// Fetch gets a file by its id: getFile names a path that is good for an hour.
func (a *Adapter) Fetch(ctx context.Context, inboxID string, at channel.Attachment) (io.ReadCloser, error) {
	c, err := a.sending(inboxID)
	if err != nil {
		return nil, err
	}
	var f struct {
		Path string `json:"file_path"`
	}
	err = a.call(ctx, inboxID, c, "getFile", map[string]string{"file_id": at.Remote}, &f)
	if refused(err) {
		return nil, fmt.Errorf("%w: %w", channel.ErrGone, err)
	}
	if err != nil {
		return nil, err
	}
	if f.Path == "" || strings.Contains(f.Path, "..") || strings.HasPrefix(f.Path, "/") {
		return nil, fmt.Errorf("%w: Telegram names no path of the file", channel.ErrGone)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.api+"/file/bot"+c.token+"/"+f.Path, nil)
	if err != nil {
		return nil, hosted.Scrub(err)
	}
	return a.caller.Open(inboxID, r, maxFetch)
}
