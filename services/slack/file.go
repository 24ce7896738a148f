package slack

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// maxFetch is what Slack keeps at most of one file.
const maxFetch = 1 << 30

// keeps says whether an address is where Slack, or the gateway of the settings, keeps files.
func (c config) keeps(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return false
	}
	if api, err := url.Parse(c.api); err == nil && u.Host == api.Host && u.Scheme == api.Scheme {
		return true
	}
	h := u.Hostname()
	return u.Scheme == "https" && u.Port() == "" && (h == "slack.com" || strings.HasSuffix(h, ".slack.com") || strings.HasSuffix(h, ".slack-files.com") || h == "slack-files.com")
}

// nothingSent makes of an answer that was lost a failure that passes: the call
// shows nobody anything, and can be made again.
func nothingSent(err error) error {
	if errors.Is(err, hosted.ErrUnknown) {
		return errors.New("no answer from Slack; nothing was sent")
	}
	return err
}

type uploaded struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// share uploads files and shows them as one message ("files.getUploadURLExternal",
// "files.completeUploadExternal"). Until the last call nobody sees anything.
func (a *Adapter) share(ctx context.Context, inboxID string, c config, p plan, list []channel.Attachment) (string, error) {
	var files []uploaded
	for _, at := range list {
		f, err := a.upload(ctx, inboxID, c, at)
		if err != nil {
			return "", nothingSent(err)
		}
		files = append(files, f)
	}
	body := map[string]any{"files": files, "channel_id": p.channel}
	if p.thread != "" {
		body["thread_ts"] = p.thread
	}
	if err := a.call(ctx, inboxID, c, "files.completeUploadExternal", body, nil); err != nil {
		return "", err
	}
	// Slack shows the message a moment later, and does not say under which ts.
	return "file:" + files[0].ID, nil
}

func (a *Adapter) upload(ctx context.Context, inboxID string, c config, at channel.Attachment) (uploaded, error) {
	data, err := a.deps.Blobs.Get(ctx, at.Blob)
	if err != nil {
		return uploaded{}, fmt.Errorf("open attachment: %w", err)
	}
	name := cmp.Or(hosted.FileName(at.Name), "file")
	var place struct {
		URL string `json:"upload_url"`
		ID  string `json:"file_id"`
	}
	if err := a.ask(ctx, inboxID, c, "files.getUploadURLExternal", url.Values{"filename": {name}, "length": {strconv.Itoa(len(data))}}, &place); err != nil {
		return uploaded{}, err
	}
	if !c.keeps(place.URL) || !idForm.MatchString(place.ID) {
		return uploaded{}, errors.New("upload: Slack names no address of its own")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, place.URL, bytes.NewReader(data))
	if err != nil {
		return uploaded{}, hosted.Scrub(err)
	}
	r.Header.Set("Content-Type", "application/octet-stream")
	reply, err := a.caller.Do(inboxID, r)
	if err == nil && !reply.OK() {
		err = &hosted.Refusal{Detail: fmt.Sprintf("Slack does not take the file %q (%d)", name, reply.Status)}
	}
	return uploaded{place.ID, name}, err
}

// Fetch gets a file with the app's token. In channels that are shared with
// another company Slack says only on request where it is ("files.info").
func (a *Adapter) Fetch(ctx context.Context, inboxID string, at channel.Attachment) (io.ReadCloser, error) {
	c, err := a.sending(inboxID)
	if err != nil {
		return nil, err
	}
	address := at.Remote
	if id, ok := strings.CutPrefix(address, byID); ok {
		var info struct {
			File file `json:"file"`
		}
		err := a.ask(ctx, inboxID, c, "files.info", url.Values{"file": {id}}, &info)
		if _, no := errors.AsType[*refused](err); no {
			return nil, fmt.Errorf("%w: %w", channel.ErrGone, err)
		}
		if err != nil {
			return nil, err
		}
		address = cmp.Or(info.File.Download, info.File.URL)
	}
	if !c.keeps(address) {
		return nil, fmt.Errorf("%w: its address is none of Slack's", channel.ErrGone)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, hosted.Scrub(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	body, err := a.caller.Open(inboxID, r, maxFetch)
	if err != nil || strings.HasPrefix(at.ContentType, "text/html") {
		return body, err
	}
	return a.noLogin(inboxID, body)
}

// noLogin tells a file from the page to log in, which Slack shows with 200 to
// an app that may not read files.
func (a *Adapter) noLogin(inboxID string, body io.ReadCloser) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(body, 512)
	head, _ := buffered.Peek(512)
	start := strings.ToLower(string(bytes.TrimSpace(head)))
	if strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html") {
		body.Close()
		return nil, a.caller.Attention(inboxID, "Slack shows a login page instead of a file: the app lacks the scope files:read")
	}
	return struct {
		io.Reader
		io.Closer
	}{buffered, body}, nil
}
