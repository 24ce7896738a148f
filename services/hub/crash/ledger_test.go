package crash

import (
	"fmt"
	"strings"
	"sync"
)

// said is one message of a customer that the hub has taken responsibility for:
// it is in the mailbox, or the visitor got an ack.
type said struct {
	who string
	n   int // per who, from 0
}

// token is the text of the message.
func (s said) token() string { return fmt.Sprintf("said/%s/%d", s.who, s.n) }

// ledger is what happened, seen from outside.
type ledger struct {
	mu      sync.Mutex
	said    map[string][]said // by who, in order
	replies map[string]string // token → entry id, of accepted ones
	copies  int               // mails put into the mailbox once more
}

func newLedger() *ledger {
	return &ledger{said: map[string][]said{}, replies: map[string]string{}}
}

// accepted adds the next message of who. Called by one goroutine for each who.
func (l *ledger) accepted(who string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said[who] = append(l.said[who], said{who, len(l.said[who])})
}

// next is the message of who that comes after the accepted ones.
func (l *ledger) next(who string) said {
	l.mu.Lock()
	defer l.mu.Unlock()
	return said{who, len(l.said[who])}
}

func (l *ledger) replied(token, entry string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.replies[token] = entry
}

func (l *ledger) copied() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.copies++
}

func (l *ledger) counts() (mails, chats, replies int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for who, list := range l.said {
		if isMail(who) {
			mails += len(list)
		} else {
			chats += len(list)
		}
	}
	return mails, chats, len(l.replies)
}

func isMail(who string) bool { return strings.Contains(who, "@") }
