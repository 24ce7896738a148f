package ingest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/underway"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/file"
)

const (
	// DefaultFetchTry bounds the fetching for one input, each time it is tried.
	DefaultFetchTry = 30 * time.Second
	// DefaultFetchFor is how long it is tried, counted from when the input was received.
	DefaultFetchFor = 10 * time.Minute
	// fetchers is how many inputs are fetched for at once: a provider that hangs
	// must not take every lane with it.
	fetchers = 16
)

// Why a file is missing, in words for agents.
const (
	missingGone    = "the provider does not have it any more"
	missingLarge   = "it is larger than 50 MiB"
	missingErased  = "it was erased"
	missingFetcher = "this hub cannot fetch files of the channel"
)

// fetchError: a file could not be had now. The lane comes again after a while.
type fetchError struct {
	err   error
	after time.Duration
}

func (e *fetchError) Error() string             { return "fetch attachments: " + e.err.Error() }
func (e *fetchError) Unwrap() error             { return e.err }
func (e *fetchError) RetryAfter() time.Duration { return e.after }

var errBusy = errors.New("too many are being fetched at once")

// fetch gets the files that the provider keeps and makes blobs of them. Where
// that fails for good, or for too long, the message goes on without the file and
// says why; any other failure is a *fetchError. A file that was fetched before
// the input was cut off is not fetched again.
func (h *Handler) fetch(ctx context.Context, in Input, items []channel.Item) ([]channel.Item, error) {
	raw := *in.Raw
	if !slices.ContainsFunc(items, remote) {
		return items, nil
	}
	select {
	case h.fetching <- struct{}{}:
		defer func() { <-h.fetching }()
	default:
		return nil, &fetchError{errBusy, time.Second}
	}
	try, cancel := context.WithTimeout(ctx, h.FetchTry)
	defer cancel()
	waited := h.FetchFor // an input of no known age is not waited for
	if !raw.ReceivedAt.IsZero() {
		waited = h.Now().Sub(raw.ReceivedAt)
	}
	items = slices.Clone(items)
	var failed error
	for i, item := range items {
		if !remote(item) {
			continue
		}
		m := *item.Message
		m.Content.Attachments = slices.Clone(m.Content.Attachments)
		for n, a := range m.Content.Attachments {
			if a.Remote == "" {
				continue
			}
			got, err := h.fetchOne(ctx, try, in, h.fetchedName(h.MessageID(raw, m), n), a)
			if ctx.Err() != nil {
				return nil, fmt.Errorf("fetch attachments: %w", ctx.Err())
			}
			if err != nil && waited >= h.FetchFor {
				h.Log.Warn("an attachment could not be fetched", "channel", raw.Channel, "inbox", raw.Inbox, "error", err)
				got, err = missing(a, "the provider did not give it within "+h.FetchFor.String()), nil
			}
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("file %d: %w", n, err))
				continue
			}
			m.Content.Attachments[n] = got
		}
		items[i].Message = &m
	}
	if failed == nil {
		return items, nil
	}
	after := min(max(waited/2, time.Second), time.Minute)
	if asked, ok := errors.AsType[*channel.RetryAfterError](failed); ok {
		after = max(asked.After, time.Second)
	}
	return nil, &fetchError{failed, min(after, max(h.FetchFor-waited, time.Second))}
}

func remote(item channel.Item) bool {
	return item.Message != nil && slices.ContainsFunc(item.Message.Content.Attachments, func(a channel.Attachment) bool { return a.Remote != "" })
}

func missing(a channel.Attachment, why string) channel.Attachment {
	a.Name, a.Part, a.Blob, a.Remote, a.Missing = file.CleanName(a.Name), "", "", "", why
	return a
}

// fetchedName is what a fetched file's blob and data key are named by: the same
// message makes the same, and nobody else can guess it.
func (h *Handler) fetchedName(message string, n int) string {
	return h.Keys.Hash("fetched", message, strconv.Itoa(n))
}

// fetchOne makes a blob of one file. Its data key is its own: erasure finds it
// by the blob, as that of an uploaded file.
func (h *Handler) fetchOne(ctx, try context.Context, in Input, name string, a channel.Attachment) (channel.Attachment, error) {
	if h.Blobs == nil {
		return missing(a, missingFetcher), nil
	}
	key, dataKey := blob.KeyOf(name), "blob/"+name
	data, err := h.Blobs.Get(ctx, key)
	switch {
	case err == nil:
		return fetched(a, key, data[:min(len(data), file.HeadSize)], int64(len(data))), nil
	case errors.Is(err, crypt.ErrShredded):
		return missing(a, missingErased), nil
	case !errors.Is(err, blob.ErrNotFound) && !errors.Is(err, blob.ErrCorrupt):
		return a, err
	case a.Size > blob.MaxSize:
		return missing(a, missingLarge), nil
	}
	rc, err := h.openRemote(try, *in.Raw, a)
	if err == nil {
		stop := context.AfterFunc(try, func() { _ = rc.Close() }) // ends a read that hangs
		defer func() { stop(); _ = rc.Close() }()
		buffered := bufio.NewReaderSize(rc, file.HeadSize)
		head, _ := buffered.Peek(file.HeadSize) // an error comes again below
		head = slices.Clone(head)
		var size int64
		if err = h.begin(ctx, underway.File{Blob: key, DataKey: dataKey, Ref: in.Ref}); err != nil {
			return a, err
		}
		if size, err = h.Blobs.PutAs(try, key, dataKey, buffered, blob.MaxSize); err == nil {
			return fetched(a, key, head, size), nil
		}
	}
	switch {
	case errors.Is(err, channel.ErrGone):
		return missing(a, missingGone), nil
	case errors.Is(err, blob.ErrTooLarge):
		return missing(a, missingLarge), nil
	case errors.Is(err, crypt.ErrShredded):
		return missing(a, missingErased), nil
	case errors.Is(err, errNoFetcher):
		return missing(a, missingFetcher), nil
	}
	return a, err
}

func fetched(a channel.Attachment, key string, head []byte, size int64) channel.Attachment {
	a.Name, a.ContentType, a.Size = file.CleanName(a.Name), file.Kind(head, a.ContentType), size
	a.Part, a.Blob, a.Remote = "", key, ""
	return a
}

var errNoFetcher = errors.New("channel has no fetcher")

// openRemote asks the channel. It is left behind when it does not end in time.
func (h *Handler) openRemote(ctx context.Context, raw channel.Raw, a channel.Attachment) (io.ReadCloser, error) {
	p, _ := h.Parsers(raw.Channel)
	f, ok := p.(channel.Fetcher)
	if !ok {
		return nil, errNoFetcher
	}
	type answer struct {
		rc  io.ReadCloser
		err error
	}
	done := make(chan answer, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- answer{err: fmt.Errorf("fetcher panicked: %v", r)}
			}
		}()
		rc, err := f.Fetch(ctx, raw.Inbox, a)
		if err == nil && rc == nil {
			err = errors.New("fetcher gave nothing")
		}
		done <- answer{rc, err}
	}()
	select {
	case got := <-done:
		return got.rc, got.err
	case <-ctx.Done():
		go func() { // whoever comes late closes the door
			if got := <-done; got.rc != nil {
				_ = got.rc.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// Underway is where files are noted while their message is not stored (underway.Notes).
type Underway interface {
	Begin(ctx context.Context, f underway.File) error
	End(ctx context.Context, blobs ...string) error
}

func (h *Handler) begin(ctx context.Context, f underway.File) error {
	if h.Underway == nil || f.Ref == "" {
		return nil
	}
	return h.Underway.Begin(ctx, f)
}

// arrived: the messages of these files are stored, or keep none of them.
func (h *Handler) arrived(ctx context.Context, blobs []string) error {
	if h.Underway == nil || len(blobs) == 0 {
		return nil
	}
	return h.Underway.End(ctx, blobs...)
}

// fetchedIn names the blobs that fetch made, now or before the input was cut off.
func (h *Handler) fetchedIn(raw channel.Raw, items []channel.Item) (blobs []string) {
	for _, item := range items {
		if item.Message == nil || h.Blobs == nil {
			continue
		}
		for n, a := range item.Message.Content.Attachments {
			if a.Blob != "" && a.Blob == blob.KeyOf(h.fetchedName(h.MessageID(raw, *item.Message), n)) {
				blobs = append(blobs, a.Blob)
			}
		}
	}
	return blobs
}

// unfetch takes fetched files away again that no message keeps.
func (h *Handler) unfetch(ctx context.Context, message string, list []channel.Attachment) error {
	for n, a := range list {
		if a.Blob == "" || h.Blobs == nil {
			continue
		}
		name := h.fetchedName(message, n)
		if a.Blob != blob.KeyOf(name) {
			continue
		}
		if err := h.Blobs.Delete(ctx, a.Blob); err != nil {
			return fmt.Errorf("remove a fetched file: %w", err)
		}
	}
	return nil
}
