package canary

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/weftline/weftline/services/hub/hubtest"
)

const (
	owner     = "owner@shop.test"
	password  = "correct horse"
	jwtSecret = "0123456789abcdef0123456789abcdef"
	patience  = time.Minute
)

// rig is a hub that may die, and the world around it.
type rig struct {
	t        *testing.T
	dir, bin string
	data     string
	box      *hubtest.Mailbox
	sink     *hubtest.Sink
	hub      *hubtest.Process
	url      string
	caller   *hubtest.Caller
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), bin: filepath.Join(t.TempDir(), "hub")}
	r.data = filepath.Join(r.dir, "data")
	if out, err := exec.Command("go", "test", "-c", "-o", r.bin, "github.com/weftline/weftline/services/hub").CombinedOutput(); err != nil {
		t.Fatalf("build the hub: %v\n%s", err, out)
	}
	var err error
	if r.box, err = hubtest.NewMailbox(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.box.Close)
	if r.sink, err = hubtest.NewSink(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.sink.Close)
	cfg, err := json.Marshal(map[string]any{ // which is YAML
		"listen": "127.0.0.1:0", "nats": map[string]any{"listen": "127.0.0.1:0"},
		"owner": map[string]string{"email": owner, "password": password, "name": "Olga"},
		"inboxes": []map[string]any{
			{"id": "support", "channel": "email", "name": "Support", "settings": r.box.Settings(r.sink)},
			{"id": "shop", "channel": "chat", "name": "Shop", "settings": map[string]string{"identity": "optional", "jwt_keys": "k1:HS256:" + jwtSecret}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.config(), cfg, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if r.hub != nil {
			r.hub.Kill()
		}
		if t.Failed() {
			b, _ := os.ReadFile(filepath.Join(r.dir, "hub.log"))
			lines := strings.Split(strings.TrimSpace(string(b)), "\n")
			t.Logf("hub.log:\n%s", strings.Join(lines[max(0, len(lines)-25):], "\n"))
		}
	})
	return r
}

func (r *rig) config() string { return filepath.Join(r.dir, "hub.yaml") }

func (r *rig) environ(killAt string) []string {
	return []string{"HOME=" + r.dir, "TMPDIR=" + r.dir, "WEFTLINE_TEST_IMPATIENT=1", "WEFTLINE_TEST_KILL_AT=" + killAt}
}

// start runs the hub; it dies at the first step of an erasure that begins with killAt.
func (r *rig) start(killAt string) error {
	r.t.Helper()
	log, err := os.OpenFile(filepath.Join(r.dir, "hub.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.t.Fatal(err)
	}
	defer log.Close()
	r.hub, err = hubtest.Launch(r.bin, []string{"serve", "-config", r.config(), "-data", r.data, "-log-level", "debug"}, r.environ(killAt), log)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	if r.url, err = r.hub.Ready(ctx); err != nil {
		r.hub.Kill()
		r.hub = nil
		return err
	}
	return nil
}

func (r *rig) mustStart() {
	r.t.Helper()
	if err := r.start(""); err != nil {
		r.t.Fatal(err)
	}
	if r.caller == nil {
		ctx, cancel := context.WithTimeout(r.t.Context(), patience)
		defer cancel()
		var err error
		if r.caller, err = hubtest.Login(ctx, r.url, owner, password); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *rig) stop() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	if err := r.hub.Stop(ctx); err != nil {
		r.t.Fatal(err)
	}
	r.hub = nil
}

func (r *rig) command(args ...string) string {
	r.t.Helper()
	cmd := exec.Command(r.bin, append(args, "-config", r.config())...)
	cmd.Env = r.environ("")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("hub %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// call calls the API and fails the test when it refuses.
func (r *rig) call(method, body string) map[string]any {
	r.t.Helper()
	out, err := r.try(method, body)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

func (r *rig) try(method, body string) (map[string]any, error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	b, err := r.caller.Call(ctx, r.url, method, []byte(body))
	if err != nil {
		return nil, err
	}
	var out map[string]any
	return out, json.Unmarshal(b, &out)
}

// until calls until ok.
func (r *rig) until(what, method, body string, ok func(map[string]any) bool) map[string]any {
	r.t.Helper()
	over := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		out, err := r.try(method, body)
		if err == nil && ok(out) {
			return out
		}
		select {
		case <-tick.C:
		case <-over:
			b, _ := json.Marshal(out)
			r.t.Fatalf("still waiting for %s: %v %s", what, err, b)
		}
	}
}

// text is an answer as JSON: to look for words in.
func text(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func str(v map[string]any, path ...string) string {
	var cur any = v
	for _, p := range path {
		m, _ := cur.(map[string]any)
		cur = m[p]
	}
	s, _ := cur.(string)
	return s
}

func (r *rig) upload(name string, content []byte) map[string]any {
	r.t.Helper()
	var form bytes.Buffer
	mw := multipart.NewWriter(&form)
	part, err := mw.CreatePart(textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name="file"; filename=%q`, name)}})
	if err == nil {
		_, err = part.Write(content)
	}
	if err = errors.Join(err, mw.Close()); err != nil {
		r.t.Fatal(err)
	}
	status, answer, err := r.caller.Post(r.t.Context(), r.url+"/api/attachments", mw.FormDataContentType(), form.Bytes())
	if err != nil || status != http.StatusOK {
		r.t.Fatalf("upload: %d %s %v", status, answer, err)
	}
	var out map[string]any
	if err := json.Unmarshal(answer, &out); err != nil {
		r.t.Fatal(err)
	}
	return out
}

// visit says something as a logged-in visitor, with a file.
func (r *rig) visit(sub, name, email, say, fileName string, content []byte) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	now := time.Now()
	tok := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": sub, "aud": "shop", "iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
		"name": name, "email": email, "email_verified": true,
	})
	tok.Header["kid"] = "k1"
	signed, err := tok.SignedString([]byte(jwtSecret))
	if err != nil {
		r.t.Fatal(err)
	}
	w, err := hubtest.DialWidget(ctx, r.url, "shop", hubtest.Hello{JWT: signed})
	if err != nil {
		r.t.Fatal(err)
	}
	defer w.Close()
	hello, err := w.Welcome(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+"/chat/shop/upload", bytes.NewReader(content))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+hello.Ticket)
	req.Header.Set("Origin", r.url)
	req.Header.Set("X-File-Name", fileName)
	res, err := hubtest.Client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	var up struct {
		ID string `json:"id"`
	}
	if err := json.NewDecoder(res.Body).Decode(&up); err != nil || res.StatusCode != http.StatusCreated {
		r.t.Fatalf("upload of a visitor: %d %v", res.StatusCode, err)
	}
	id := "0b9e6c58-0000-4000-8000-00000000000" + fmt.Sprint(len(sub)%10)
	if err := w.Send(id, say, up.ID); err != nil {
		r.t.Fatal(err)
	}
	if err := w.Acked(ctx, id); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) deliver(mail string) {
	r.t.Helper()
	if err := r.box.Deliver([]byte(mail)); err != nil {
		r.t.Fatal(err)
	}
}

// verify says that all laws hold, and the read models equal a rebuild.
func (r *rig) verify() {
	r.t.Helper()
	if out := r.command("verify", "-data", r.data); !strings.Contains(out, "all laws hold") {
		r.t.Fatalf("verify: %s", out)
	}
}
