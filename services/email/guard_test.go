package email_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// badServer speaks just enough IMAP to be asked for mails and then answers with poison.
func badServer(t *testing.T, poison func(tag string, w io.Writer)) net.Listener {
	t.Helper()
	l := listen(t)
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				fmt.Fprint(conn, "* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n")
				r := bufio.NewReader(conn)
				for {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					f := strings.Fields(line)
					if len(f) < 2 {
						return
					}
					switch strings.ToUpper(f[1]) {
					case "LOGIN":
						fmt.Fprintf(conn, "%s OK [CAPABILITY IMAP4rev1 IDLE] in\r\n", f[0])
					case "EXAMINE", "SELECT":
						fmt.Fprintf(conn, "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 2] x\r\n%s OK done\r\n", f[0])
					default:
						poison(f[0], conn)
						return
					}
				}
			})
		}
	})
	return l
}

func repeat(w io.Writer, s string, n int) {
	chunk := strings.Repeat(s, 1000)
	for range n / 1000 {
		if _, err := io.WriteString(w, chunk); err != nil {
			return
		}
	}
}

// A server that answers nonsense costs a connection and a bounded amount of
// memory, and other inboxes go on.
func TestMalformedServersHarmNobody(t *testing.T) {
	poisons := map[string]func(tag string, w io.Writer){
		"literal of 4 GiB": func(_ string, w io.Writer) {
			fmt.Fprint(w, "* 1 FETCH (UID 1 BODY[] {4294967296}\r\n")
			repeat(w, "x", 1<<20)
		},
		"literal below zero":  func(_ string, w io.Writer) { fmt.Fprint(w, "* 1 FETCH (UID 1 BODY[] {-1}\r\n") },
		"literal without end": func(_ string, w io.Writer) { fmt.Fprint(w, "* 1 FETCH (UID 1 BODY[] {99999999999999999999}\r\n") },
		"endless line":        func(_ string, w io.Writer) { fmt.Fprint(w, "* OK "); repeat(w, "x", 64<<20) },
		"nested body structure": func(_ string, w io.Writer) {
			fmt.Fprint(w, "* 1 FETCH (UID 1 BODYSTRUCTURE ")
			repeat(w, "(", 64<<20)
		},
		"nested lists behind a literal": func(_ string, w io.Writer) {
			fmt.Fprint(w, "* 1 FETCH (UID 1 BODY[] {3}\r\nabc BODYSTRUCTURE ")
			repeat(w, "(", 64<<20)
		},
		"lists hidden in a false literal": func(_ string, w io.Writer) {
			fmt.Fprint(w, "* OK x {50000000}\r\n* 1 FETCH (BODYSTRUCTURE ")
			repeat(w, "(", 64<<20)
		},
		"expunge in between": func(tag string, w io.Writer) {
			fmt.Fprintf(w, "* 1 EXPUNGE\r\n* 1 FETCH (UID 1)\r\n* 0 EXPUNGE\r\n%s OK\r\n", tag)
		},
		"nil everywhere": func(tag string, w io.Writer) {
			fmt.Fprintf(w, "* 1 FETCH (UID NIL RFC822.SIZE NIL)\r\n%s OK done\r\n", tag)
		},
		"body nil":             func(tag string, w io.Writer) { fmt.Fprintf(w, "* 1 FETCH (UID 1 BODY[] NIL)\r\n%s OK done\r\n", tag) },
		"garbage":              func(_ string, w io.Writer) { fmt.Fprint(w, "\x00\xff\r\n\r\n)))(((\r\n") },
		"bye":                  func(_ string, w io.Writer) { fmt.Fprint(w, "* BYE closing\r\n") },
		"answer to no command": func(_ string, w io.Writer) { fmt.Fprint(w, "T999 OK done\r\n") },
	}
	office := newPostOffice(t, officeOptions{idle: true})
	for name, poison := range poisons {
		t.Run(name, func(t *testing.T) {
			l := badServer(t, poison)
			w := newWorld(t, mailboxOf("bad", port(t, l), nil), mailboxOf("good", port(t, office.l), nil))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			stop := w.run(t, w.svc)
			eventually(t, "the bad one is dropped", func() bool { return strings.HasPrefix(w.book.Health("bad").Detail, "IMAP: ") })
			eventually(t, "the good one works", func() bool { return w.book.Health("good").State == "ok" })
			stop()
			runtime.ReadMemStats(&after)
			if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 64<<20 {
				t.Errorf("memory grew by %d bytes", grown)
			}
			if len(w.hub.all()) != 0 {
				t.Error("an input was made of nonsense")
			}
		})
	}
}

// A server that dies without a word is found when the IDLE is renewed.
func TestSilentDeathIsFound(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	conns := 0
	l := listen(t)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns++
			mu.Unlock()
			t.Cleanup(func() { conn.Close() }) // never closed while the test runs
			go func() {
				fmt.Fprint(conn, "* OK ready\r\n")
				r := bufio.NewReader(conn)
				for {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					tag, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
					switch {
					case strings.HasPrefix(rest, "CAPABILITY"):
						fmt.Fprintf(conn, "* CAPABILITY IMAP4rev1 IDLE\r\n%s OK\r\n", tag)
					case strings.HasPrefix(rest, "EXAMINE"):
						fmt.Fprintf(conn, "* 0 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 1] x\r\n%s OK\r\n", tag)
					case rest == "IDLE":
						fmt.Fprint(conn, "+ idling\r\n")
						return // and not one word more
					default:
						fmt.Fprintf(conn, "%s OK\r\n", tag)
					}
				}
			}()
		}
	}()
	w := newWorld(t, mailboxOf("support", port(t, l), nil))
	w.timing.IdleLimit = 50 * time.Millisecond
	w.timing.IdleEnd = 100 * time.Millisecond
	w.run(t, w.service(t))
	eventually(t, "a second connection", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return conns > 1
	})
}
