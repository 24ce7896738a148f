package hosted

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/weftline/weftline/pkg/channel"
)

var errTooMuch = errors.New("file is larger than its limit")

// Open gets a file that the provider keeps, at most limit bytes of it; reading
// more is an error. It is for Fetcher: ErrGone where the provider has it no
// more (404, 410, and 403: its link has expired), else the errors of Do. The caller closes it.
func (c *Caller) Open(inboxID string, r *http.Request, limit int64) (io.ReadCloser, error) {
	if err := c.gate.Closed(inboxID); err != nil {
		return nil, err
	}
	res, err := c.client.Do(r)
	if err != nil {
		return nil, c.unanswered(r, err, false)
	}
	if res.StatusCode == http.StatusOK && res.ContentLength <= limit {
		return &bounded{res.Body, limit}, nil
	}
	res.Body.Close()
	switch {
	case res.StatusCode == http.StatusOK:
		return nil, fmt.Errorf("%w: it has %d bytes, at most %d are taken", channel.ErrGone, res.ContentLength, limit)
	case res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusGone, res.StatusCode == http.StatusForbidden:
		return nil, fmt.Errorf("%w: the provider answers %d", channel.ErrGone, res.StatusCode)
	}
	if err := c.judge(inboxID, inboxID, http.MethodGet, Reply{Status: res.StatusCode, Header: res.Header}); err != nil {
		return nil, err
	}
	return nil, &StatusError{res.StatusCode}
}

// StatusError is an answer of Open that is neither the file nor one of its other errors: it can be asked for again.
type StatusError struct{ Status int }

func (e *StatusError) Error() string {
	return fmt.Sprintf("fetch file: the provider answers %d", e.Status)
}

// OpenElsewhere is Open for a file that the provider only names, at an address
// that anybody may have chosen: what is answered there says nothing of the inbox.
func (c *Caller) OpenElsewhere(r *http.Request, limit int64) (io.ReadCloser, error) {
	res, err := c.client.Do(r)
	if err != nil {
		return nil, c.unanswered(r, err, false)
	}
	if res.StatusCode == http.StatusOK && res.ContentLength <= limit {
		return &bounded{res.Body, limit}, nil
	}
	res.Body.Close()
	if res.StatusCode < http.StatusInternalServerError && res.StatusCode != http.StatusTooManyRequests {
		return nil, fmt.Errorf("%w: its address answers %d, and %d bytes", channel.ErrGone, res.StatusCode, res.ContentLength)
	}
	return nil, &StatusError{res.StatusCode}
}

// bounded fails instead of ending early, so that half a file is never taken for a whole one.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("%w: %w", channel.ErrGone, errTooMuch)
	}
	return n, err
}
