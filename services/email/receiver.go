package email

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/emersion/go-imap/v2"
	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/inbox"
)

const (
	batchMails  = 50      // mails given to the intake at once
	batchBytes  = 8 << 20 // and their bytes, but for a single larger mail
	firstWindow = 500     // UIDs looked at in one listing; doubles over gaps
	idleLimit   = 4*time.Minute + 30*time.Second
	settle      = 2 * time.Second

	// Doubt about a mail: a server that refuses to give it says more than a
	// connection that was lost over it.
	doubtLost    = 1
	doubtRefused = 20
	doubtSingly  = 2   // its batch is fetched one by one
	doubtGiveUp  = 100 // only a note of it is kept
)

// receiver takes in the mail of one inbox. Its own goroutine runs it; the
// failure of one says nothing of another.
type receiver struct {
	svc    *Service
	inbox  inbox.Inbox
	config config
	log    *slog.Logger

	// doubt about the mail at which taking in failed, so that one the server
	// cannot give does not stop those after it.
	doubtAt imap.UID
	doubt   int
	taken   int // mails since the session began

	outage inbox.Outage
}

// run receives until ctx ends.
func (r *receiver) run(ctx context.Context) {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = r.svc.timing.RetryMin, r.svc.timing.RetryMax
	for ctx.Err() == nil {
		began, before := time.Now(), r.taken
		r.svc.health.set(r.inbox.ID, receiving, stateConnecting, "")
		err := r.session(ctx)
		if ctx.Err() != nil {
			return
		}
		r.svc.metrics.sessions.WithLabelValues("lost").Inc()
		wait := retry.NextBackOff()
		if time.Since(began) > time.Minute {
			retry.Reset()
			wait = retry.NextBackOff()
		}
		if errors.Is(err, errAuth) {
			wait = r.svc.timing.AuthRetry
			r.svc.health.set(r.inbox.ID, receiving, stateNeedsAttention, "IMAP: "+clip(err.Error(), 300))
		} else {
			if r.taken > before { // cut in the midst of much mail, of which some came
				r.outage.Well()
			}
			state := stateConnecting
			if r.outage.Failed(time.Now()) {
				state = stateNeedsAttention
			}
			r.svc.health.set(r.inbox.ID, receiving, state, "IMAP: nothing can be fetched from "+clip(r.config.imap.address(), 100)+": "+clip(err.Error(), 300))
		}
		r.log.WarnContext(ctx, "imap connection ended", "error", err, "retry_in", wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// session is one connection: read all folders, wait, read again.
func (r *receiver) session(ctx context.Context) error {
	c, err := r.svc.openIMAP(ctx, r.inbox.ID, r.config)
	if err != nil {
		return err
	}
	defer c.close()
	r.svc.metrics.sessions.WithLabelValues("opened").Inc()
	limit := min(idleLimit, r.svc.timing.IdleLimit)
	if len(r.config.folders) > 1 {
		limit = min(limit, r.config.poll)
	}
	for first := true; ; first = false {
		before := r.taken
		// IDLE watches the folder that is open: the first is read last.
		for _, folder := range slices.Backward(r.config.folders) {
			if err := r.folder(ctx, c, folder); err != nil {
				return err
			}
		}
		r.outage.Well()
		r.svc.health.set(r.inbox.ID, receiving, stateOK, r.config.notice())
		pause := limit
		if first || r.taken > before {
			// Not every server tells in an IDLE what arrived just before it: at first, and after mail, look again soon.
			pause = min(settle, limit)
		}
		if err := c.wait(ctx, pause, r.svc.timing.IdleEnd, r.config.poll); err != nil {
			return err
		}
		if ctx.Err() != nil {
			c.logout()
			return ctx.Err()
		}
	}
}

// folder takes in what is new in a folder.
func (r *receiver) folder(ctx context.Context, c *imapConn, name string) error {
	cur, found, err := r.svc.loadCursor(ctx, r.inbox.ID, name)
	if err != nil {
		return err
	}
	if found && name != r.config.folders[0] { // the first is opened in any case, for IDLE
		same, err := c.unchanged(ctx, cur)
		if same || err != nil {
			return err
		}
	}
	o, err := c.open(ctx, name, r.config.after == afterKeep)
	if err != nil {
		return err
	}
	validity, next := o.uidValidity, o.next
	switch {
	case !found && r.config.since == "now":
		cur.UIDValidity, cur.ModSeq, cur.From = validity, o.modSeq, time.Now().Add(-24*time.Hour).UTC()
		if cur.Last, err = r.end(ctx, c, next); err != nil {
			return err
		}
		if err := r.svc.saveCursor(ctx, cur); err != nil {
			return err
		}
	case !found:
		cur.UIDValidity = validity
	case cur.UIDValidity != validity:
		// The UIDs mean other mails now (RFC 9051 §2.3.1.1). Everything is read again; what is known is kept once.
		r.log.InfoContext(ctx, "folder has new uids, reading it anew", "old", cur.UIDValidity, "new", validity)
		r.svc.metrics.rescans.Inc()
		cur.UIDValidity, cur.Last, cur.ModSeq, cur.Known = validity, 0, 0, known{}
	default:
		if cur, err = r.recognise(ctx, c, cur, o); err != nil {
			return err
		}
	}
	// Whatever the cursor passes from now on was there, or came later.
	cur.ModSeq = max(cur.ModSeq, o.modSeq)
	window := imap.UID(firstWindow)
	for {
		from := imap.UID(cur.Last) + 1
		if from == 0 || from == next {
			return nil // the last UID there can be, or nothing new
		}
		to := imap.UID(0)
		if next > from && next-from > window && from+window > from {
			to = from + window - 1
		}
		mails, err := c.list(ctx, from, to)
		if err != nil {
			return err
		}
		if err := r.take(ctx, c, &cur, mails); err != nil {
			return err
		}
		if to == 0 {
			if imap.UID(cur.Last)+1 < next { // the newest were deleted before they were seen
				cur.Last = uint32(next) - 1
				return r.svc.saveCursor(ctx, cur)
			}
			return nil
		}
		if len(mails) == 0 {
			window *= 2
			if window == 0 {
				window = 1 << 31
			}
		} else {
			window = firstWindow
		}
		if imap.UID(cur.Last) < to {
			cur.Last = uint32(to) // nothing there up to here
		}
	}
}

// end is the highest UID of the folder that is open now.
func (r *receiver) end(ctx context.Context, c *imapConn, next imap.UID) (uint32, error) {
	if next > 0 {
		return uint32(next) - 1, nil
	}
	mails, err := c.list(ctx, 1, 0)
	if err != nil || len(mails) == 0 {
		return 0, err
	}
	return uint32(mails[len(mails)-1].uid), nil
}

// take accepts mails in batches and moves the cursor behind each.
func (r *receiver) take(ctx context.Context, c *imapConn, cur *cursor, mails []listed) error {
	for len(mails) > 0 {
		n := r.batch(mails)
		raws, uids, err := r.read(ctx, c, *cur, mails[:n])
		if err != nil {
			r.failed(mails[:n], err)
			return err
		}
		if len(raws) > 0 {
			if err := r.svc.intake.Accept(ctx, raws...); err != nil {
				return fmt.Errorf("accept mails: %w", err)
			}
			r.taken += len(raws)
			r.svc.accepted(r.inbox.ID, raws)
			if err := r.done(ctx, c, uids); err != nil {
				return err
			}
		}
		cur.pass(mails[:n])
		if err := r.svc.saveCursor(ctx, *cur); err != nil {
			return err
		}
		mails = mails[n:]
	}
	return nil
}

// batch is how many mails go together.
func (r *receiver) batch(mails []listed) int {
	if r.doubtful(mails[0].uid) {
		return 1
	}
	bytes := int64(0)
	for i, m := range mails {
		if m.size > MaxSize {
			return max(1, i) // alone
		}
		bytes += m.size
		if i == batchMails || bytes > batchBytes && i > 0 {
			return i
		}
	}
	return len(mails)
}

// doubtful: a batch that began at or shortly before this mail failed more than once.
func (r *receiver) doubtful(uid imap.UID) bool {
	return r.doubt >= doubtSingly && uid >= r.doubtAt && uid <= r.doubtAt+batchMails
}

func (r *receiver) failed(batch []listed, err error) {
	uid := batch[0].uid
	if r.doubtAt != uid {
		if r.doubtful(uid) {
			r.doubt = doubtSingly // the batch was found out; now it is this one
		} else {
			r.doubt = 0
		}
		r.doubtAt = uid
	}
	var said *imap.Error
	switch {
	case errors.As(err, &said) && throttled(said): // no word about any mail
	case len(batch) > 1:
		r.doubt++ // any of them may be meant
	case errors.As(err, &said):
		r.doubt += doubtRefused
	default:
		r.doubt += doubtLost
	}
}

// throttled says whether the server refuses because too much is asked of it, by
// the code (RFC 5530, and Google's own) or in the words of those that know no code.
func throttled(said *imap.Error) bool {
	switch said.Code {
	case imap.ResponseCodeLimit, imap.ResponseCodeInUse, "THROTTLED", imap.ResponseCodeOverQuota:
		return true
	}
	return strings.Contains(strings.ToLower(said.Text), "throttle")
}

// read makes inputs of mails. One too large, and one the server cannot give
// after many tries, becomes a note with what is known of its header. It
// returns the UIDs of the inputs, too.
func (r *receiver) read(ctx context.Context, c *imapConn, cur cursor, mails []listed) ([]channel.Raw, []imap.UID, error) {
	if !cur.From.IsZero() {
		mails = slices.DeleteFunc(slices.Clone(mails), func(m listed) bool { return !m.at.IsZero() && m.at.Before(cur.From) })
		if len(mails) == 0 {
			return nil, nil, nil
		}
	}
	if shared := r.sharers(); len(shared) > 0 {
		uids := make([]imap.UID, len(mails))
		for i, m := range mails {
			uids[i] = m.uid
		}
		headers, err := c.fetchHeaders(ctx, uids)
		if err != nil {
			return nil, nil, err
		}
		if mails = r.pick(mails, headers, shared); len(mails) == 0 {
			return nil, nil, nil
		}
	}
	if m := mails[0]; len(mails) == 1 && m.size > MaxSize {
		header, err := c.fetchHeader(ctx, m.uid)
		if err != nil && r.doubt < doubtGiveUp {
			return nil, nil, err
		}
		r.svc.metrics.notes.WithLabelValues("too_large").Inc()
		return []channel.Raw{r.raw(cur, m.uid, note(header, fmt.Sprintf("This mail has %d bytes; up to %d are taken in. It is still in the mailbox.", m.size, MaxSize)))}, []imap.UID{m.uid}, nil
	}
	if m := mails[0]; len(mails) == 1 && m.uid == r.doubtAt && r.doubt >= doubtGiveUp {
		r.log.ErrorContext(ctx, "mail cannot be fetched, keeping a note", "uid", uint32(m.uid), "uid_validity", cur.UIDValidity)
		r.svc.metrics.notes.WithLabelValues("unreadable").Inc()
		return []channel.Raw{r.raw(cur, m.uid, note(nil, "The mail server could not give this mail. It is still in the mailbox."))}, []imap.UID{m.uid}, nil
	}
	uids := make([]imap.UID, len(mails))
	for i, m := range mails {
		uids[i] = m.uid
	}
	bodies, err := c.fetch(ctx, uids)
	if err != nil {
		return nil, nil, err
	}
	var raws []channel.Raw
	var taken []imap.UID
	for _, m := range mails {
		body, ok := bodies[m.uid]
		if !ok {
			// Deleted since it was listed, or a server that answers half.
			again, err := c.list(ctx, m.uid, m.uid)
			if err != nil {
				return nil, nil, err
			}
			if len(again) > 0 {
				return nil, nil, fmt.Errorf("fetch mails: %w", &imap.Error{Type: imap.StatusResponseTypeNo, Text: "mail is listed but not given"})
			}
			continue
		}
		if len(body) > MaxSize {
			body = note(body[:min(len(body), 64<<10)], fmt.Sprintf("This mail has %d bytes; up to %d are taken in. It is still in the mailbox.", len(body), MaxSize))
		}
		if len(body) == 0 {
			body = note(nil, "The mail server gave this mail without any content.")
		}
		raws, taken = append(raws, r.raw(cur, m.uid, body)), append(taken, m.uid)
	}
	return raws, taken, nil
}

func (r *receiver) raw(cur cursor, uid imap.UID, body []byte) channel.Raw {
	return channel.Raw{
		Channel: ChannelName, Inbox: r.inbox.ID,
		ProviderID: cur.providerID(uid),
		Peek:       peek(body), ReceivedAt: time.Now().UTC(), ContentType: ContentType, Body: body,
	}
}

// peek looks for the sender in the first 64 KiB, to keep one sender's mails in order.
func peek(body []byte) channel.Address {
	h, _, err := splitHeader(body[:min(len(body), 64<<10)])
	if err != nil {
		return channel.Address{}
	}
	m, err := sender(h)
	if err != nil || m.addr == "" {
		return channel.Address{}
	}
	return channel.Address{Kind: "email", Address: m.addr}
}

// note is a mail with the header of another and a text of ours in its place.
func note(head []byte, text string) []byte {
	var out []byte
	h, _, _ := splitHeader(head)
	for _, name := range []string{"from", "sender", "to", "cc", "date", "subject", "message-id", "in-reply-to", "references", "auto-submitted", "precedence", "list-id", "return-path"} {
		for _, v := range h.all(name) {
			out = append(out, name+": "+clip(v, 8000)+"\r\n"...)
		}
	}
	return append(out, "mime-version: 1.0\r\ncontent-type: text/plain; charset=utf-8\r\n\r\n"+text+"\r\n"...)
}
