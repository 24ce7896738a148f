package main

import (
	"bytes"
	"context"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/weftline/weftline/services/hub/hubtest"
)

func cmdMail(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: mail FILE…")
	}
	for _, name := range args {
		ts.Check(the(ts).box.Deliver([]byte(expand(ts, ts.ReadFile(name)))))
	}
}

// cmdFolder waits until a folder of the mailbox holds so many mails.
func cmdFolder(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	if neg || len(args) != 2 {
		ts.Fatalf("usage: folder NAME N")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	w.poll(ts, func(context.Context) bool { return w.box.Holds(args[0]) == want }, func() {
		w.fail(ts, "%s holds %d mails, wanted %d", args[0], w.box.Holds(args[0]), want)
	})
}

// cmdSignIn makes mailbox and SMTP server want access tokens, or takes back
// all that were given: afterwards a sign-in gives the refresh token "again".
func cmdSignIn(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	switch {
	case neg || len(args) != 1:
		ts.Fatalf("usage: signin revoke|REFRESH")
	case args[0] == "revoke":
		w.signIn.Revoke("again")
	default:
		w.signIn = hubtest.NewSignIn(args[0])
		w.box.SignIn(w.signIn, w.sink)
		ts.Setenv("REFRESH", args[0])
	}
}

// cmdSMTP looks at what the hub sent:
//
//	smtp says CODE TEXT          the next mail is refused so
//	smtp hangs-up                the next mail is taken, and the connection closed without a word
//	smtp refused N               waits until so many were refused
//	smtp took N                  waits until so many were taken; sets SENT to the last one's Message-ID
//	smtp took-only N             waits until so many were taken; it fails when there are more
//	smtp header N NAME VALUE     of the mail with this number; VALUE as in got
//	smtp body N VALUE
//	smtp secret N                sets CODE and WRONG, or LINK and TOKEN
//	smtp same N M                two mails with the same Message-ID and body
//	[!] smtp everywhere VALUE    some mail has it anywhere
func cmdSMTP(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	if len(args) == 0 {
		ts.Fatalf("usage: smtp says|hangs-up|refused|took|took-only|header|body|same|everywhere …")
	}
	ctx, cancel := within()
	defer cancel()
	number := func(i int) int {
		if len(args) <= i {
			ts.Fatalf("smtp %s: a number is missing", args[0])
		}
		n, err := strconv.Atoi(args[i])
		ts.Check(err)
		return n
	}
	mailNo := func(i int) hubtest.Sent {
		mails, n := w.sink.Mails(), number(i)
		if n < 1 || n > len(mails) {
			w.fail(ts, "mail %d: the server took %d", n, len(mails))
		}
		return mails[n-1]
	}
	check := func(what, have, want string) {
		if matches(have, expand(ts, want)) == neg {
			w.fail(ts, "%s is %q, wanted %q", what, have, expand(ts, want))
		}
	}
	switch args[0] {
	case "says":
		w.sink.Next(hubtest.Answer{Code: number(1), Text: strings.Join(args[2:], " ")})
	case "hangs-up":
		w.sink.Next(hubtest.Answer{HangUp: true})
	case "refused":
		if err := w.sink.WaitRefused(ctx, number(1)); err != nil {
			w.fail(ts, "%v", err)
		}
	case "took":
		mails, err := w.sink.Wait(ctx, number(1))
		if err != nil {
			w.fail(ts, "%v", err)
		}
		ts.Setenv("SENT", mails[number(1)-1].MessageID())
	case "took-only": // fewer may still be on their way
		mails, err := w.sink.Wait(ctx, number(1))
		if err != nil || len(mails) != number(1) {
			w.fail(ts, "the server took %d mails, wanted %d (%v)", len(mails), number(1), err)
		}
	case "header":
		have, err := new(mime.WordDecoder).DecodeHeader(mailNo(1).Header.Get(args[2]))
		ts.Check(err)
		check(args[2], have, args[3])
	case "body":
		check("the body", body(ts, mailNo(1)), args[2])
	case "secret":
		secretIn(ts, body(ts, mailNo(1)))
	case "same":
		a, b := mailNo(1), mailNo(2)
		if a.MessageID() != b.MessageID() || body(ts, a) != body(ts, b) {
			w.fail(ts, "mails differ:\n%s\n%s", a.Raw, b.Raw)
		}
	case "everywhere":
		found := false
		for _, m := range w.sink.Mails() {
			found = found || bytes.Contains(m.Raw, []byte(expand(ts, args[1])))
		}
		if found == neg {
			w.fail(ts, "in mails sent: %v", found)
		}
	default:
		ts.Fatalf("smtp %s is unknown", args[0])
	}
}

// body is a single part's text, decoded; of other mails everything behind the header.
func body(ts *testscript.TestScript, s hubtest.Sent) string {
	m, err := mail.ReadMessage(bytes.NewReader(s.Raw))
	ts.Check(err)
	r := m.Body
	if strings.EqualFold(m.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		r = quotedprintable.NewReader(r)
	}
	b, err := io.ReadAll(r)
	ts.Check(err)
	return strings.TrimSpace(strings.ReplaceAll(string(b), "\r\n", "\n"))
}
