package email_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// sequencer stands in front of a postOffice, whose library has no CONDSTORE, and
// adds mod-sequences as RFC 7162 has them: a counterpart of ours, not a server.
type sequencer struct {
	l      net.Listener
	office *postOffice

	mu      sync.Mutex
	highest map[string]uint64 // by folder; 0: NOMODSEQ
	asked   map[string]int    // commands that ask for mod-sequences
}

func newSequencer(t testing.TB, to string) *sequencer {
	t.Helper()
	s := &sequencer{l: listen(t), highest: map[string]uint64{}, asked: map[string]int{}}
	var all sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	all.Go(func() {
		for {
			client, err := s.l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				return
			}
			mu.Lock()
			conns = append(conns, client, server)
			mu.Unlock()
			c := &sequenced{s: s, status: map[string]string{}}
			all.Go(func() { c.pass(server, client, client, c.up); server.Close() })
			all.Go(func() { c.pass(client, server, nil, c.down); client.Close() })
		}
	})
	t.Cleanup(func() {
		s.l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return s
}

// set is the highest mod-sequence of a folder from now on.
func (s *sequencer) set(folder string, highest uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.highest[folder] = highest
}

func (s *sequencer) of(folder string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.highest[folder]
}

func (s *sequencer) commands(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[name]
}

// sequenced is one connection.
type sequenced struct {
	s *sequencer

	mu       sync.Mutex
	selected string
	status   map[string]string // tag of a STATUS that asks for it → folder
	fetching bool
}

// pass copies lines, each as edit gives it, and literals as they are. What edit answers goes back.
func (c *sequenced) pass(to io.Writer, from io.Reader, back io.Writer, edit func(string) (line, answer string)) {
	r := bufio.NewReader(from)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		out, answer := edit(line)
		if answer != "" {
			io.WriteString(back, answer) //nolint:errcheck // the reader has gone then
		}
		if _, err := io.WriteString(to, out); err != nil {
			return
		}
		if m := literalAtEnd.FindStringSubmatch(line); m != nil {
			n, _ := strconv.ParseInt(m[1], 10, 64)
			if _, err := io.CopyN(to, r, n); err != nil {
				return
			}
		}
	}
}

var (
	literalAtEnd = regexp.MustCompile(`\{(\d+)\+?\}\r\n$`)
	selectLine   = regexp.MustCompile(`^(\S+) (?:SELECT|EXAMINE) "?([^" ]+)"?( \(CONDSTORE\))?\r\n$`)
	statusLine   = regexp.MustCompile(`^(\S+) STATUS "?([^" ]+)"? \((.*)\)\r\n$`)
	uidItem      = regexp.MustCompile(`UID (\d+)`)
)

func (c *sequenced) up(line string) (out, answer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := selectLine.FindStringSubmatch(line); m != nil {
		c.selected = m[2]
		c.s.count("select", m[3] != "")
		return strings.Replace(line, m[3]+"\r\n", "\r\n", 1), ""
	}
	if m := statusLine.FindStringSubmatch(line); m != nil && strings.Contains(m[3], "HIGHESTMODSEQ") {
		c.s.count("status", true)
		c.status[m[2]] = m[1]
		var rest []string
		for item := range strings.FieldsSeq(m[3]) {
			if item != "HIGHESTMODSEQ" {
				rest = append(rest, item)
			}
		}
		return strings.Replace(line, "("+m[3]+")", "("+strings.Join(rest, " ")+")", 1), ""
	}
	if tag, rest, _ := strings.Cut(line, " "); strings.HasPrefix(rest, "UID FETCH") && strings.Contains(rest, "MODSEQ") {
		c.s.count("fetch", true)
		if c.s.of(c.selected) == 0 { // RFC 7162 §3.1.2.2
			return "", tag + " BAD this mailbox has no mod-sequences\r\n"
		}
		c.fetching = true
		return strings.NewReplacer(" MODSEQ", "", "MODSEQ ", "").Replace(line), ""
	}
	return line, ""
}

func (c *sequenced) down(line string) (out, answer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case strings.Contains(line, "IMAP4rev1"):
		line = strings.Replace(line, "IMAP4rev1", "IMAP4rev1 CONDSTORE", 1)
	case strings.HasPrefix(line, "* OK [UIDNEXT "):
		if n := c.s.of(c.selected); n > 0 {
			return line + fmt.Sprintf("* OK [HIGHESTMODSEQ %d] Highest\r\n", n), ""
		}
		return line + "* OK [NOMODSEQ] None here\r\n", ""
	case strings.HasPrefix(line, "* STATUS "):
		for folder := range c.status {
			if strings.Contains(strings.ReplaceAll(line, `"`, ""), "STATUS "+folder+" ") {
				delete(c.status, folder)
				return strings.Replace(line, ")\r\n", fmt.Sprintf(" HIGHESTMODSEQ %d)\r\n", c.s.of(folder)), 1), ""
			}
		}
	case strings.Contains(line, " FETCH (") && strings.Contains(line, "RFC822.SIZE") && c.fetching:
		// A mail's own mod-sequence: ten for each UID, as far as that goes.
		if m := uidItem.FindStringSubmatch(line); m != nil {
			uid, _ := strconv.ParseUint(m[1], 10, 32)
			return strings.TrimSuffix(line, ")\r\n") + fmt.Sprintf(" MODSEQ (%d))\r\n", min(10*uid, c.s.of(c.selected))), ""
		}
	}
	return line, ""
}

func (s *sequencer) count(name string, asks bool) {
	if asks {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked[name]++
	}
}
