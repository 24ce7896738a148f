package email

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// listed is one mail of a folder.
type listed struct {
	uid    imap.UID
	size   int64
	at     time.Time // the server's INTERNALDATE
	modSeq uint64    // 0: it has none
}

// opened is what a server says of a folder.
type opened struct {
	uidValidity uint32
	next        imap.UID // 0: it does not say, or was open before
	modSeq      uint64   // HIGHESTMODSEQ; 0: it has none, or was open before
}

// open selects a folder, read-only unless mails shall be marked.
func (c *imapConn) open(ctx context.Context, folder string, readOnly bool) (opened, error) {
	if c.selected == folder {
		err := c.do(ctx, commandTimeout, "look for news", func() error { return c.client.Noop().Wait() })
		return opened{uidValidity: c.uidValidity}, err
	}
	c.selected = ""
	var data *imap.SelectData
	err := c.do(ctx, commandTimeout, "open folder", func() (err error) {
		data, err = c.client.Select(folder, &imap.SelectOptions{ReadOnly: readOnly, CondStore: c.condstore()}).Wait()
		return err
	})
	if err != nil {
		return opened{}, err
	}
	if data.UIDValidity == 0 {
		return opened{}, errors.New("open folder: imap server gives no UIDVALIDITY")
	}
	// A folder may be without mod-sequences where the server has them (NOMODSEQ,
	// RFC 7162 §3.1.2.2): asking for them is an error then.
	c.selected, c.uidValidity, c.modSeqs = folder, data.UIDValidity, c.condstore() && data.HighestModSeq > 0
	o := opened{uidValidity: data.UIDValidity, next: data.UIDNext}
	if c.modSeqs {
		o.modSeq = data.HighestModSeq
	}
	return o, nil
}

func (c *imapConn) condstore() bool { return c.client.Caps().Has(imap.CapCondStore) }

// unchanged says whether a folder that is not open has nothing new, without
// opening it. A server that does not say so says no.
func (c *imapConn) unchanged(ctx context.Context, cur cursor) (bool, error) {
	options := &imap.StatusOptions{UIDNext: true, UIDValidity: true, HighestModSeq: cur.ModSeq > 0 && c.condstore()}
	var data *imap.StatusData
	err := c.do(ctx, commandTimeout, "look at folder", func() (err error) {
		data, err = c.client.Status(cur.Folder, options).Wait()
		return err
	})
	var said *imap.Error
	if errors.As(err, &said) {
		return false, nil // opening it says what is wrong
	}
	if err != nil {
		return false, err
	}
	back := data.HighestModSeq > 0 && data.HighestModSeq < cur.ModSeq
	return data.UIDValidity == cur.UIDValidity && data.UIDNext == imap.UID(cur.Last)+1 && !back, nil
}

// list finds mails with UIDs from…to (0: no end) in the order of their UIDs.
// No search by time or \Seen: another reader of the mailbox changes nothing.
func (c *imapConn) list(ctx context.Context, from, to imap.UID) ([]listed, error) {
	var out []listed
	err := c.do(ctx, 5*time.Minute, "list mails", func() error {
		cmd := c.client.Fetch(imap.UIDSet{imap.UIDRange{Start: from, Stop: to}}, &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: true, ModSeq: c.modSeqs})
		return c.eachMail(cmd, func(msg *imapclient.FetchMessageData) error {
			l := listed{}
			for item := msg.Next(); item != nil; item = msg.Next() {
				switch item := item.(type) {
				case imapclient.FetchItemDataUID:
					l.uid = item.UID
				case imapclient.FetchItemDataRFC822Size:
					l.size = item.Size
				case imapclient.FetchItemDataInternalDate:
					l.at = item.Time
				case imapclient.FetchItemDataModSeq:
					l.modSeq = item.ModSeq
				}
			}
			// "n:*" gives the last mail even when its UID is lower (RFC 9051 §6.4.9).
			if l.uid >= from {
				out = append(out, l)
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b listed) int { return int(int64(a.uid) - int64(b.uid)) })
	return slices.CompactFunc(out, func(a, b listed) bool { return a.uid == b.uid }), nil
}

// fetch reads mails whole, without marking them. A mail that is cut short is an error: nothing partial is kept.
func (c *imapConn) fetch(ctx context.Context, uids []imap.UID) (map[imap.UID][]byte, error) {
	return c.section(ctx, uids, &imap.FetchItemBodySection{Peek: true}, "fetch mails")
}

// fetchHeader reads the first 64 KiB of the header of one mail.
func (c *imapConn) fetchHeader(ctx context.Context, uid imap.UID) ([]byte, error) {
	got, err := c.fetchHeaders(ctx, []imap.UID{uid})
	return got[uid], err
}

// fetchHeaders reads the first 64 KiB of the headers of mails.
func (c *imapConn) fetchHeaders(ctx context.Context, uids []imap.UID) (map[imap.UID][]byte, error) {
	return c.section(ctx, uids, &imap.FetchItemBodySection{Peek: true, Specifier: imap.PartSpecifierHeader, Partial: &imap.SectionPartial{Size: 64 << 10}}, "fetch headers")
}

func (c *imapConn) section(ctx context.Context, uids []imap.UID, what *imap.FetchItemBodySection, doing string) (map[imap.UID][]byte, error) {
	out := map[imap.UID][]byte{}
	err := c.do(ctx, 10*time.Minute, doing, func() error {
		cmd := c.client.Fetch(imap.UIDSetNum(uids...), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{what}})
		return c.eachMail(cmd, func(msg *imapclient.FetchMessageData) error {
			var uid imap.UID
			var body []byte
			for item := msg.Next(); item != nil; item = msg.Next() {
				switch item := item.(type) {
				case imapclient.FetchItemDataUID:
					uid = item.UID
				case imapclient.FetchItemDataBodySection:
					if item.Literal == nil {
						continue
					}
					size := item.Literal.Size()
					if size > maxLiteral {
						return errWire
					}
					b, err := io.ReadAll(item.Literal)
					if err != nil || int64(len(b)) != size {
						return fmt.Errorf("%w after %d of %d bytes", errCut, len(b), size)
					}
					body = b
				}
			}
			if slices.Contains(uids, uid) && body != nil {
				out[uid] = body
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// errCut: the connection ended inside a mail.
var errCut = errors.New("mail was cut short")

// eachMail consumes a FETCH to its end, also after an error of fn: what is not
// read blocks the connection. Only a mail that was cut short is left as it is:
// the client's reader has the connection again, and reading on would race it.
func (c *imapConn) eachMail(cmd *imapclient.FetchCommand, fn func(*imapclient.FetchMessageData) error) error {
	var first error
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		if first != nil {
			continue // Next discards what was not read of the one before
		}
		first = fn(msg)
		if errors.Is(first, errCut) {
			c.net.Close()
			return first
		}
	}
	return errors.Join(cmd.Close(), first)
}

// mark sets \Seen. A mailbox where that is forbidden still works.
func (c *imapConn) mark(ctx context.Context, uids []imap.UID) error {
	return c.do(ctx, commandTimeout, "mark mails as seen", func() error {
		return c.client.Store(imap.UIDSetNum(uids...), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagSeen}}, nil).Close()
	})
}

// wait returns when there may be news: the server says so (IDLE, RFC 2177),
// or the time is over. An IDLE is ended after at most limit, and the server
// must answer within end: a peer that died without a word is found then.
func (c *imapConn) wait(ctx context.Context, limit, end, poll time.Duration) error {
	if !c.client.Caps().Has(imap.CapIdle) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.news:
		case <-c.client.Closed():
			return errors.New("wait for mail: connection lost")
		case <-time.After(poll):
		}
		return nil
	}
	var idle *imapclient.IdleCommand
	err := c.do(ctx, commandTimeout, "begin idle", func() (err error) {
		idle, err = c.client.Idle()
		return err
	})
	if err != nil {
		return err
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-c.news:
	case <-timer.C:
	case <-c.client.Closed():
	}
	return c.do(context.WithoutCancel(ctx), end, "end idle", func() error {
		return errors.Join(idle.Close(), idle.Wait())
	})
}
