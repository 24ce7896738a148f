package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/weftline/weftline/services/hub/hubtest"
)

// visitor remembers between connections what a browser does.
type visitor struct {
	w          *hubtest.Widget
	token, who string
	raw        []string // frames of earlier connections
	code       string   // of the refusal
	proofID    string
	proofs     int // frames of proofs on this connection
}

func (v *visitor) hangUp() {
	if v.w != nil {
		v.raw = append(v.raw, v.w.Raw()...)
		v.w.Close()
		v.w, v.proofs = nil, 0
	}
}

// proof waits for the next word about a proof.
func (v *visitor) proof(ctx context.Context, ts *testscript.TestScript, name, state string) {
	v.proofs++
	f, err := v.w.Proof(ctx, v.proofs)
	if err != nil || f.State != state {
		the(ts).fail(ts, "chat %s: proof %q, wanted %q, %v", name, f.State, state, err)
	}
	v.proofID = f.ID
}

func login(sub, email string, verified bool) (string, error) {
	now := time.Now()
	claims := jwt.MapClaims{"sub": sub, "aud": "shop", "iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(), "name": sub}
	if email != "" {
		claims["email"], claims["email_verified"] = email, verified
	}
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
	t.Header["kid"] = "k1"
	return t.SignedString([]byte(jwtSecret))
}

// cmdChat is a visitor of the inbox shop:
//
//	[!] chat NAME connect [SUB [EMAIL [unverified]]]  anonymous, or logged in by the shop, with an address it has verified or not
//	chat NAME says TEXT               sends, and waits until the hub has it on disk
//	chat NAME sees TEXT               waits for a line from us
//	chat NAME transcript FILE         waits until everything shown reads like FILE
//	[!] chat NAME frames TEXT         no frame the widget ever got holds TEXT
//	chat NAME refused CODE            after ! connect: the code of the error frame
//	chat NAME ended CODE              the connection was closed so
//	[!] chat NAME leaves ADDRESS      leaves an e-mail address or a number
//	[!] chat NAME proves ADDRESS      has a code sent to it; ! it is none, and he is told so
//	chat NAME goes                    closes the page
//	chat NAME asks-mail               asks for the chat by mail
//	chat NAME code CODE STATE         gives it back, and hears STATE
//	chat NAME file FILE TO            fetches a file of the transcript
func cmdChat(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	if len(args) < 2 {
		ts.Fatalf("usage: chat NAME connect|says|sees|transcript|frames|refused|ended …")
	}
	ctx, cancel := within()
	defer cancel()
	v := w.widgets[args[0]]
	if v == nil {
		v = &visitor{}
		w.widgets[args[0]] = v
	}
	if v.w == nil && args[1] != "connect" {
		ts.Fatalf("chat %s is not connected", args[0])
	}
	rest := args[2:]
	want := expand(ts, strings.Join(rest, " "))
	switch args[1] {
	case "connect":
		v.hangUp()
		hello := hubtest.Hello{Token: v.token, Who: v.who}
		var err error
		if len(rest) > 0 {
			email := strings.Join(rest[1:min(2, len(rest))], "")
			hello.JWT, err = login(rest[0], email, len(rest) < 3 || rest[2] != "unverified")
			ts.Check(err)
		}
		v.w, err = hubtest.DialWidget(ctx, w.url, "shop", hello)
		ts.Check(err)
		welcome, err := v.w.Welcome(ctx)
		refused, _ := errors.AsType[*hubtest.WidgetError](err)
		switch {
		case err == nil && neg:
			w.fail(ts, "chat %s was let in", args[0])
		case err == nil:
			v.token, v.who = welcome.Token, welcome.Who
		case neg && refused != nil:
			v.code = refused.Frame.Code
		default:
			w.fail(ts, "chat %s: %v", args[0], err)
		}
	case "says":
		id := uuid.NewString()
		ts.Check(v.w.Send(id, want))
		if err := v.w.Acked(ctx, id); err != nil {
			w.fail(ts, "chat %s: %v", args[0], err)
		}
	case "sees":
		if _, err := v.w.Items(ctx, func(items []hubtest.Item) bool {
			for _, it := range items {
				if it.From == "us" && it.Text == want {
					return true
				}
			}
			return false
		}); err != nil {
			w.fail(ts, "chat %s: %q: %v", args[0], want, err)
		}
	case "transcript":
		want := ts.ReadFile(rest[0])
		show := func(items []hubtest.Item) string {
			var b strings.Builder
			for _, it := range items {
				b.WriteString(it.From + ": " + it.Text)
				for _, f := range it.Files {
					b.WriteString(" +" + f.Name)
				}
				b.WriteString("\n")
			}
			return b.String()
		}
		if items, err := v.w.Items(ctx, func(items []hubtest.Item) bool { return show(items) == want }); err != nil {
			w.fail(ts, "chat %s shows\n%s, wanted\n%s", args[0], show(items), want)
		}
	case "leaves":
		id := uuid.NewString()
		frame := map[string]string{"type": "email", "client_id": id, "address": want}
		if isNumber(want) {
			frame = map[string]string{"type": "phone", "client_id": id, "phone": want}
		}
		ts.Check(v.w.Do(frame))
		if err := v.w.Acked(ctx, id); (err != nil) != neg {
			w.fail(ts, "chat %s: %v", args[0], err)
		}
	case "goes":
		v.hangUp()
	case "asks-mail":
		ts.Check(v.w.Do(map[string]string{"type": "transcript"}))
	case "proves":
		frame := map[string]string{"type": "prove", "address": want}
		if isNumber(want) {
			frame = map[string]string{"type": "prove", "phone": want}
		}
		ts.Check(v.w.Do(frame))
		if neg {
			if _, err := v.w.Proof(ctx, v.proofs+1); err == nil {
				w.fail(ts, "chat %s: %s can be proven", args[0], want)
			}
			return
		}
		v.proof(ctx, ts, args[0], "sent")
	case "code":
		ts.Check(v.w.Do(map[string]string{"type": "code", "id": v.proofID, "code": expand(ts, rest[0])}))
		v.proof(ctx, ts, args[0], rest[1])
	case "frames":
		all := strings.Join(append(v.raw, v.w.Raw()...), "\n")
		if strings.Contains(all, want) == neg {
			w.fail(ts, "chat %s: %q in its frames: %v", args[0], want, !neg)
		}
	case "refused":
		if v.code != want {
			w.fail(ts, "chat %s was refused with %q, wanted %q", args[0], v.code, want)
		}
	case "ended":
		code, err := v.w.Ended(ctx)
		if err != nil || strconv.Itoa(code) != want {
			w.fail(ts, "chat %s ended with %d, %v; wanted %s", args[0], code, err, want)
		}
	case "file":
		welcome, err := v.w.Welcome(ctx)
		ts.Check(err)
		items, err := v.w.Items(ctx, func(items []hubtest.Item) bool { return fileID(items, rest[0]) != "" })
		if err != nil {
			w.fail(ts, "chat %s: file %s: %v", args[0], rest[0], err)
		}
		c := hubtest.NewCaller(welcome.Ticket)
		status, b, err := c.Get(ctx, w.url+"/chat/shop/files/"+fileID(items, rest[0]))
		ts.Check(err)
		if status != 200 {
			w.fail(ts, "chat %s: file %s: %d %s", args[0], rest[0], status, bytes.TrimSpace(b))
		}
		ts.Check(os.WriteFile(ts.MkAbs(rest[1]), b, 0o600))
	default:
		ts.Fatalf("chat %s is unknown", args[1])
	}
}

// isNumber tells a number that is typed from an e-mail address.
func isNumber(typed string) bool { return !strings.Contains(typed, "@") }

func fileID(items []hubtest.Item, name string) string {
	for _, it := range items {
		for _, f := range it.Files {
			if f.Name == name {
				return f.ID
			}
		}
	}
	return ""
}
