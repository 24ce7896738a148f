package line

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// maxFetch is more than LINE hands over.
const maxFetch = 300 << 20

// transcoding is how long to wait for a video or sound that LINE is making ready.
const transcoding = 5 * time.Second

// Fetch gets the content of a message ("Get content"). LINE deletes it after a
// while that it does not name. Until a video or sound is ready it answers 202.
func (a *Adapter) Fetch(ctx context.Context, inboxID string, at channel.Attachment) (io.ReadCloser, error) {
	c, err := a.sending(inboxID)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(at.Remote, "https://") { // not LINE's: the token stays here
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.Remote, nil)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", channel.ErrGone, hosted.Scrub(err))
		}
		body, err := a.caller.OpenElsewhere(r, maxFetch)
		if err != nil {
			return nil, err
		}
		return body, nil
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.data+"/v2/bot/message/"+url.PathEscape(at.Remote)+"/content", nil)
	if err != nil {
		return nil, hosted.Scrub(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	body, err := a.caller.Open(inboxID, r, maxFetch)
	if odd, ok := errors.AsType[*hosted.StatusError](err); ok {
		switch {
		case odd.Status == http.StatusAccepted:
			return nil, &channel.RetryAfterError{After: transcoding, Err: errors.New("LINE is still making the file ready")}
		case odd.Status == http.StatusBadRequest:
			return nil, fmt.Errorf("%w: %w", channel.ErrGone, err)
		}
	}
	return body, err
}
