package main

import (
	"net/http"
	"net/url"
	"os"
	"regexp"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/weftline/weftline/services/hub/hubtest"
)

var (
	codeInMail = regexp.MustCompile(`(?m)^ {4}(\d{6})$`)
	linkInMail = regexp.MustCompile(`https?://\S+(/prove/\S+)`)
)

// secretIn sets CODE, or LINK (its path) and TOKEN, from a mail's text, and
// WRONG to another code.
func secretIn(ts *testscript.TestScript, text string) {
	if m := codeInMail.FindStringSubmatch(text); m != nil {
		setCode(ts, m[1])
		return
	}
	m := linkInMail.FindStringSubmatch(text)
	if m == nil {
		ts.Fatalf("neither a code nor a link is in:\n%s", text)
	}
	ts.Setenv("LINK", m[1])
	ts.Setenv("TOKEN", m[1][len(m[1])-22:])
}

func setCode(ts *testscript.TestScript, code string) {
	ts.Setenv("CODE", code)
	ts.Setenv("WRONG", code[:5]+string('0'+(code[5]-'0'+1)%10))
}

// cmdPage fetches a page as a browser that is not logged in does, or presses
// its button: page GET|POST PATH FILE.
func cmdPage(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	if len(args) != 3 {
		ts.Fatalf("usage: [!] page GET|POST PATH FILE")
	}
	ctx, cancel := within()
	defer cancel()
	c, target := hubtest.NewCaller(""), w.url+expand(ts, args[1])
	status, body, err := c.Get(ctx, target)
	if args[0] == http.MethodPost {
		status, body, err = c.Post(ctx, target, "application/x-www-form-urlencoded", []byte(url.Values{}.Encode()))
	}
	ts.Check(err)
	if (status == http.StatusOK) == neg {
		w.fail(ts, "page %s %s: %d %s", args[0], args[1], status, body)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), body, 0o600))
}
