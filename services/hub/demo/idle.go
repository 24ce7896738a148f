package demo

import (
	"time"

	"github.com/emersion/go-imap/v2/imapserver"
)

// prompt is a session that tells in an IDLE also what arrived just before it
// (RFC 2177). The memory server tells of that only together with the next mail,
// which would leave a letter unread for as long as an IDLE lasts.
type prompt struct{ imapserver.SessionIMAP4rev2 }

// Prompt makes a session of the memory server prompt.
func Prompt(s imapserver.Session) imapserver.Session {
	full, ok := s.(imapserver.SessionIMAP4rev2)
	if !ok {
		return s
	}
	return prompt{full}
}

const glance = 100 * time.Millisecond

func (s prompt) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	for {
		if err := s.Poll(w, true); err != nil {
			return err
		}
		part := make(chan struct{})
		ended := make(chan bool, 1)
		go func() {
			t := time.NewTimer(glance)
			defer t.Stop()
			select {
			case <-stop:
				ended <- true
			case <-t.C:
				ended <- false
			}
			close(part)
		}()
		err := s.SessionIMAP4rev2.Idle(w, part)
		if err != nil || <-ended {
			return err
		}
	}
}
