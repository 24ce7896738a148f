package email_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/services/email"
)

// TestUnreachableMailboxNeedsAttention: a mailbox that never answered is told after a few tries, with where and
// why, and is well by itself when it answers.
func TestUnreachableMailboxNeedsAttention(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	office.deliver("INBOX", mailNo(1))
	gone := newScissors(t, office.l.Addr().String(), 0, 0, 0, 0, 0, 0, 0, 0) // eight connections that say nothing
	address := gone.l.Addr().String()
	w := newWorld(t, mailboxOf("support", port(t, gone.l), nil))
	w.timing.Outage = time.Hour
	w.run(t, w.service(t))
	eventually(t, "needs attention", func() bool { return w.book.Health("support").State == "needs_attention" })
	if d := w.book.Health("support").Detail; !strings.Contains(d, address) || !strings.Contains(d, "no imap greeting") || strings.Contains(d, "secret") {
		t.Errorf("detail = %q", d)
	}
	eventually(t, "well by itself", func() bool { return w.book.Health("support").State == "ok" && len(w.hub.all()) == 1 })
}

// TestLongOutageNeedsAttention: a mailbox that worked may be gone for a while, and no longer; also when the hub starts meanwhile.
func TestLongOutageNeedsAttention(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		outage time.Duration
		want   string
	}{
		"short": {time.Hour, "connecting"},
		"long":  {time.Nanosecond, "needs_attention"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			office := newPostOffice(t, officeOptions{idle: true})
			office.deliver("INBOX", mailNo(1))
			w := newWorld(t, mailboxOf("support", port(t, office.l), nil))
			w.timing.Outage = c.outage
			stop := w.run(t, w.service(t))
			eventually(t, "works", func() bool { return w.book.Health("support").State == "ok" && len(w.hub.all()) == 1 })
			stop()
			if err := office.l.Close(); err != nil {
				t.Fatal(err)
			}
			tried := make(chan struct{}, 20)
			l, err := net.Listen("tcp", office.l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					conn.Close()
					select {
					case tried <- struct{}{}:
					default:
					}
				}
			}()
			w.run(t, w.service(t))
			for range 6 {
				<-tried
			}
			eventually(t, c.want, func() bool { return w.book.Health("support").State == c.want })
		})
	}
}

// TestSavedMailboxIsNewAgain: whatever it was before, with new settings three tries are enough.
func TestSavedMailboxIsNewAgain(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t, officeOptions{idle: true})
	w := newWorld(t, mailboxOf("support", port(t, office.l), nil))
	w.timing = email.Timing{RetryMin: time.Millisecond, RetryMax: time.Millisecond, Outage: time.Hour}
	w.run(t, w.service(t))
	eventually(t, "works", func() bool { return w.book.Health("support").State == "ok" })
	moved := mailboxOf("support", "1", nil)
	moved.Rev = 2
	w.book.set(moved)
	eventually(t, "needs attention", func() bool {
		h := w.book.Health("support")
		return h.State == "needs_attention" && strings.Contains(h.Detail, "127.0.0.1:1")
	})
}
