package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/rogpeppe/go-internal/testscript"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/hub/hubtest"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// caller takes a leading @NAME off the arguments.
func (w *world) caller(ts *testscript.TestScript, args []string) (*hubtest.Caller, []string) {
	w.running(ts)
	name := ""
	if len(args) > 0 && strings.HasPrefix(args[0], "@") {
		name, args = args[0][1:], args[1:]
	}
	c := w.callers[name]
	if c == nil && name == "nobody" {
		c = hubtest.NewCaller("")
	}
	if c == nil {
		ts.Fatalf("there is no agent %q: agent %s", name, name)
	}
	return c, args
}

// call keeps the answer, or the refusal, for got.
func (w *world) call(ctx context.Context, c *hubtest.Caller, method, body string) error {
	answer, err := c.Call(ctx, w.url, method, keyed(method, body))
	refused, isRefusal := errors.AsType[*hubtest.CallError](err)
	if err != nil && !isRefusal {
		return err
	}
	w.last = nil
	if json.Unmarshal(answer, &w.last) != nil {
		w.last = map[string]any{"text": string(answer)}
	}
	if m, ok := w.last.(map[string]any); ok && isRefusal {
		m["status"] = refused.Status
	}
	return err
}

// keyed gives an order that has none an idempotency key.
func keyed(method, body string) []byte {
	if body == "" {
		body = "{}"
	}
	m := inboxv1.File_weftline_inbox_v1_inbox_proto.Services().ByName("InboxService").Methods().ByName(protoreflect.Name(method))
	if m == nil || m.Input().Fields().ByName("idempotency_key") == nil || strings.Contains(body, "idempotencyKey") {
		return []byte(body)
	}
	comma := ","
	if strings.TrimSpace(body) == "{}" {
		comma = ""
	}
	return []byte(strings.TrimSuffix(strings.TrimSpace(body), "}") + comma + `"idempotencyKey":"` + uuid.NewString() + `"}`)
}

func cmdAPI(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	c, args := w.caller(ts, args)
	if len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: api [@NAME] METHOD [JSON]")
	}
	ctx, cancel := within()
	defer cancel()
	err := w.call(ctx, c, args[0], expand(ts, strings.Join(args[1:], "")))
	_, refused := errors.AsType[*hubtest.CallError](err)
	switch {
	case neg && err == nil:
		w.fail(ts, "%s was not refused: %s", args[0], text(w.last))
	case neg && !refused, !neg && err != nil:
		w.fail(ts, "%v", err)
	}
}

func cmdUntil(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	c, args := w.caller(ts, args)
	if neg || len(args) != 4 {
		ts.Fatalf("usage: until [@NAME] METHOD JSON PATH VALUE")
	}
	want := expand(ts, args[3])
	w.poll(ts, func(ctx context.Context) bool {
		return w.call(ctx, c, args[0], expand(ts, args[1])) == nil && matches(at(w.last, args[2]), want)
	}, func() { w.fail(ts, "%s is %q, wanted %q in %s", args[2], at(w.last, args[2]), want, text(w.last)) })
}

// poll repeats until ok, or gives up.
func (w *world) poll(ts *testscript.TestScript, ok func(context.Context) bool, giveUp func()) {
	ctx, cancel := within()
	defer cancel()
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	for !ok(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			giveUp()
			return
		}
	}
}

func cmdGot(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	if len(args) != 2 {
		ts.Fatalf("usage: got PATH VALUE")
	}
	if have, want := at(w.last, args[0]), expand(ts, args[1]); matches(have, want) == neg {
		w.fail(ts, "%s is %q, wanted %q in %s", args[0], have, want, text(w.last))
	}
}

func cmdKeep(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep VAR PATH")
	}
	v := at(w.last, args[1])
	if v == "" {
		w.fail(ts, "%s is empty in %s", args[1], text(w.last))
	}
	ts.Setenv(args[0], v)
}

func cmdAgent(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	if neg || len(args) != 1 {
		ts.Fatalf("usage: agent NAME")
	}
	ctx, cancel := within()
	defer cancel()
	name, pass := args[0], "a long password"
	owner := w.callers["owner"]
	if owner == nil {
		var err error
		owner, err = hubtest.Login(ctx, w.url, ownerEmail, ownerPassword)
		ts.Check(err)
		w.callers["owner"] = owner
	}
	if name == "owner" {
		return
	}
	body, err := json.Marshal(map[string]any{
		"agent": map[string]string{"name": name, "email": name + "@shop.test", "role": "ROLE_AGENT"}, "password": pass,
	})
	ts.Check(err)
	ts.Check(w.call(ctx, owner, "SaveAgent", string(body)))
	ts.Setenv(strings.ToUpper(name), at(w.last, "agent.id"))
	w.callers[name], err = hubtest.Login(ctx, w.url, name+"@shop.test", pass)
	ts.Check(err)
}

// cmdUpload sets ATTACHMENT to what a reply can name.
func cmdUpload(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	c, args := w.caller(ts, args)
	if neg || len(args) != 1 {
		ts.Fatalf("usage: upload FILE")
	}
	var form bytes.Buffer
	mw := multipart.NewWriter(&form)
	part, err := mw.CreateFormFile("file", args[0])
	ts.Check(err)
	_, err = part.Write([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(mw.Close())
	ctx, cancel := within()
	defer cancel()
	status, answer, err := c.Post(ctx, w.url+"/api/attachments", mw.FormDataContentType(), form.Bytes())
	ts.Check(err)
	if status != http.StatusOK {
		w.fail(ts, "upload: %d %s", status, answer)
	}
	ts.Setenv("ATTACHMENT", string(answer))
}

func cmdDownload(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	c, args := w.caller(ts, args)
	if len(args) != 2 {
		ts.Fatalf("usage: download PATH FILE")
	}
	ctx, cancel := within()
	defer cancel()
	status, body, err := c.Get(ctx, w.url+expand(ts, args[0]))
	ts.Check(err)
	if (status == http.StatusOK) == neg {
		w.fail(ts, "download %s: %d %s", args[0], status, body)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), body, 0o600))
}
