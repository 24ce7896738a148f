package email

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// What becomes of a mail in its mailbox once it is safe here.
const (
	afterKeep = "keep"
	afterSeen = "seen"
	afterMove = "move"
)

// readAfter reads the settings imap_after and imap_seen; how is "" when it is none of them.
func readAfter(v, seen string) (how, folder string) {
	if f, ok := strings.CutPrefix(v, afterMove+":"); ok {
		if f = strings.TrimSpace(f); f == "" {
			return "", ""
		}
		return afterMove, f
	}
	switch {
	case v == afterSeen, v == afterKeep && seen == "yes":
		return afterSeen, ""
	case v == afterKeep:
		return afterKeep, ""
	}
	return "", ""
}

// done marks or moves mails that are safe. It comes before the cursor moves, so
// a crash in between repeats it; a mail that comes twice is kept once. A server
// that refuses is no reason to stop: the mail stays where it is.
func (r *receiver) done(ctx context.Context, c *imapConn, uids []imap.UID) error {
	var err error
	switch r.config.after {
	case afterSeen:
		err = c.mark(ctx, uids)
	case afterMove:
		err = c.move(ctx, uids, r.config.moveTo)
	}
	var said *imap.Error
	if errors.As(err, &said) || errors.Is(err, errNoMove) {
		r.svc.metrics.unmoved.Inc()
		r.log.WarnContext(ctx, "mails could not be marked or moved, and stay as they are", "error", err)
		return nil
	}
	return err
}

var errNoMove = errors.New("imap server has neither MOVE nor UIDPLUS, without which others' deleted mails would go too")

// move puts mails of the folder that is open into another, which is made when
// it is not there. Step by step where the server has no MOVE (RFC 6851): nothing is deleted before its copy exists.
func (c *imapConn) move(ctx context.Context, uids []imap.UID, folder string) error {
	set := imap.UIDSetNum(uids...)
	return c.do(ctx, commandTimeout, "move mails", func() error {
		caps := c.client.Caps()
		if !caps.Has(imap.CapMove) && !caps.Has(imap.CapUIDPlus) {
			return errNoMove
		}
		step := func() error {
			if caps.Has(imap.CapMove) {
				_, err := c.client.Move(set, folder).Wait()
				return err
			}
			_, err := c.client.Copy(set, folder).Wait()
			return err
		}
		err := step()
		if said := (*imap.Error)(nil); errors.As(err, &said) {
			if cerr := c.client.Create(folder, nil).Wait(); cerr != nil {
				return err
			}
			err = step()
		}
		if err != nil || caps.Has(imap.CapMove) {
			return err
		}
		if err := c.client.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
			return fmt.Errorf("delete moved mails: %w", err)
		}
		return c.client.UIDExpunge(set).Close()
	})
}
