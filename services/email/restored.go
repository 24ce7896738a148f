package email

import (
	"context"
	"fmt"

	"github.com/emersion/go-imap/v2"
)

// A mailbox that is put back from a backup keeps its UIDVALIDITY and gives new
// mails UIDs that others had before: they would pass for taken in, and be lost.
// Its next UID gives it away, if it is one we passed, which no server may say
// otherwise (RFC 9051 §2.3.1.1); and with CONDSTORE also later, as mod-sequences
// only grow (RFC 7162 §3.1.1): a folder whose highest one is lower than it was is
// an earlier state of itself. Or its index was built anew, which resets them
// too: then the newest mail we took is still what it was.

// recognise returns the cursor to go on with in a folder that was just opened.
func (r *receiver) recognise(ctx context.Context, c *imapConn, cur cursor, o opened) (cursor, error) {
	lower := cur.ModSeq != 0 && o.modSeq != 0 && o.modSeq < cur.ModSeq
	if !lower && (o.next == 0 || uint32(o.next) > cur.Last) {
		return cur, nil
	}
	same, err := c.has(ctx, cur.Known)
	if err != nil {
		return cur, err
	}
	if same {
		cur.Last = cur.Known.UID // nothing behind it was taken in: those were gone before
	} else {
		r.log.WarnContext(ctx, "folder was put back to an earlier state, reading it anew", "uid_validity", cur.UIDValidity, "highest_mod_seq", o.modSeq, "was", cur.ModSeq)
		r.svc.metrics.restored.Inc()
		cur.Last, cur.Known, cur.Restored = 0, known{}, cur.Restored+1
	}
	cur.ModSeq = o.modSeq
	return cur, r.svc.saveCursor(ctx, cur)
}

// has says whether the mail is in the open folder, under its UID. One that was
// deleted or moved is not: nothing is known then.
func (c *imapConn) has(ctx context.Context, m known) (bool, error) {
	if m.UID == 0 {
		return false, nil
	}
	found, err := c.list(ctx, imap.UID(m.UID), imap.UID(m.UID))
	return len(found) == 1 && found[0].size == m.Size && found[0].at.Equal(m.At), err
}

// providerID names a mail for ever: the same UID is another mail after the
// folder was put back.
func (c cursor) providerID(uid imap.UID) string {
	if c.Restored > 0 {
		return fmt.Sprintf("%s/%d.%d/%d", c.Folder, c.UIDValidity, c.Restored, uid)
	}
	return fmt.Sprintf("%s/%d/%d", c.Folder, c.UIDValidity, uid)
}
