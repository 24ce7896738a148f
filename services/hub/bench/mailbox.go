package bench

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// mailbox is what the hub fetches from: a real server, or one in this process,
// whose CPU time is then the bench's and not the hub's.
type mailbox struct {
	IMAP
	user   *imapmemserver.User // nil: a real server
	server *imapserver.Server
	done   sync.WaitGroup
}

func (b *bench) openMailbox(context.Context) (*mailbox, error) {
	if b.IMAP.Address != "" {
		return &mailbox{IMAP: b.IMAP}, nil
	}
	m := &mailbox{IMAP: IMAP{User: "bench@example.org", Password: "bench-password"}}
	m.user = imapmemserver.NewUser(m.User, m.Password)
	if err := m.user.Create("INBOX", nil); err != nil {
		return nil, fmt.Errorf("make a mailbox: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("make a mailbox: %w", err)
	}
	m.Address = l.Addr().String()
	mem := imapmemserver.New()
	mem.AddUser(m.user)
	m.server = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}}, InsecureAuth: true,
	})
	m.done.Go(func() { _ = m.server.Serve(l) })
	return m, nil
}

func (m *mailbox) close() {
	if m.server != nil {
		m.server.Close()
	}
	m.done.Wait()
}

// inbox is its configuration.
func (m *mailbox) inbox() string {
	host, port, _ := net.SplitHostPort(m.Address)
	return fmt.Sprintf(`
  - id: bench
    channel: email
    settings: {address: support@example.org, imap_host: %q, imap_port: %q, imap_tls: none, imap_username: %q, imap_password: %q}
`, host, port, m.User, m.Password)
}

// fill puts n mails in, from a customer for every five, and says how many
// customers that are. Mails of another round are other mails.
func (m *mailbox) fill(ctx context.Context, n, round int) (senders int, err error) {
	put, finish := m.append, func() error { return nil }
	if m.user == nil {
		if put, finish, err = m.remote(); err != nil {
			return 0, err
		}
	}
	senders = (n + 4) / 5
	for i := range n {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if err := put(letter(round, i, senders)); err != nil {
			return 0, fmt.Errorf("fill the mailbox: %w", err)
		}
	}
	return senders, finish()
}

func (m *mailbox) append(raw []byte) error {
	_, err := m.user.Append("INBOX", literal{bytes.NewReader(raw)}, &imap.AppendOptions{Time: time.Now()})
	return err
}

type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

// remote empties the account's inbox, then appends to it.
func (m *mailbox) remote() (put func([]byte) error, finish func() error, err error) {
	if _, _, err := hostPort(m.Address); err != nil {
		return nil, nil, err
	}
	c, err := imapclient.DialInsecure(m.Address, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("reach the mailbox: %w", err)
	}
	if err := c.Login(m.User, m.Password).Wait(); err != nil {
		c.Close()
		return nil, nil, fmt.Errorf("log in to the mailbox: %w", err)
	}
	box, err := c.Select("INBOX", nil).Wait()
	if err != nil {
		c.Close()
		return nil, nil, fmt.Errorf("open the mailbox: %w", err)
	}
	if box.NumMessages > 0 {
		all := imap.SeqSet{}
		all.AddRange(1, 0)
		err := c.Store(all, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}, Silent: true}, nil).Close()
		if err == nil {
			err = c.Expunge().Close()
		}
		if err != nil {
			c.Close()
			return nil, nil, fmt.Errorf("empty the mailbox: %w", err)
		}
	}
	put = func(raw []byte) error {
		cmd := c.Append("INBOX", int64(len(raw)), nil)
		if _, err := cmd.Write(raw); err != nil {
			return err
		}
		if err := cmd.Close(); err != nil {
			return err
		}
		_, err := cmd.Wait()
		return err
	}
	return put, c.Close, nil
}
