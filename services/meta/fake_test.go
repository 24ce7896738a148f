package meta_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
)

const (
	newSecret = "0123456789abcdef0123456789abcdef"
	oldSecret = "fedcba9876543210fedcba9876543210"
	token     = "EAAfakeTokenOfNobody"
	account   = "106540352242922"
	elsewhere = "106540352242999" // another account of the same app
)

// graph is the Graph API as its documentation says, for what the adapters call.
// It is strict: the proof, the version, unknown edges and unknown fields are refused.
type graph struct {
	*hostedtest.Provider
	t testing.TB
	// send does what POST /<account>/messages does in one of the channels, and
	// answers; the error's code, subcode and HTTP status where it refuses.
	send func(args map[string]any) (answer any, refusal *refusal)
	// edge answers other calls; nil: there is none such.
	edge func(method, path string, args map[string]any) any

	mu    sync.Mutex
	sent  []map[string]any
	other []map[string]any
	files map[string][]byte
}

type refusal struct {
	status, code, subcode int
	message               string
}

func newGraph(t testing.TB) *graph {
	g := &graph{t: t, files: map[string][]byte{}}
	g.Provider = (&hostedtest.Provider{
		Sends: func(r *http.Request) bool {
			return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/messages")
		},
		Serve: g.serve,
	}).Start(t)
	return g
}

func (g *graph) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	if strings.HasPrefix(r.URL.Path, "/files/") {
		g.mu.Lock()
		b, ok := g.files[strings.TrimPrefix(r.URL.Path, "/files/")]
		g.mu.Unlock()
		if !ok || r.URL.Query().Get("bearer") == "1" && r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Write(b)
		return
	}
	mac := hmac.New(sha256.New, []byte(newSecret))
	mac.Write([]byte(token))
	path, ok := strings.CutPrefix(r.URL.Path, "/v24.0/")
	switch {
	case r.Header.Get("Authorization") != "Bearer "+token:
		g.refuse(w, refusal{401, 190, 0, "Invalid OAuth access token - Cannot parse access token"})
		return
	case r.URL.Query().Get("appsecret_proof") != hex.EncodeToString(mac.Sum(nil)):
		g.refuse(w, refusal{400, 100, 0, "Invalid appsecret_proof provided in the API argument"})
		return
	case !ok:
		g.refuse(w, refusal{400, 2635, 0, "You are calling a deprecated version"})
		return
	}
	args, err := arguments(r, body)
	if err != nil {
		g.t.Error(err)
		g.refuse(w, refusal{400, 100, 0, err.Error()})
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.Method == http.MethodPost && (path == account+"/messages" || path == elsewhere+"/messages") {
		answer, no := g.send(args)
		if no != nil {
			g.refuse(w, *no)
			return
		}
		json.NewEncoder(w).Encode(answer)
		return
	}
	g.other = append(g.other, args)
	if answer := g.edge(r.Method, path, args); answer != nil {
		json.NewEncoder(w).Encode(answer)
		return
	}
	g.refuse(w, refusal{400, 100, 33, "Unsupported " + r.Method + " request. Object with ID '" + path + "' does not exist"})
}

func (g *graph) refuse(w http.ResponseWriter, r refusal) {
	w.WriteHeader(r.status)
	fmt.Fprintf(w, `{"error":{"message":%q,"type":"OAuthException","code":%d,"error_subcode":%d,"fbtrace_id":"A"}}`, r.message, r.code, r.subcode)
}

// known refuses fields that the documentation does not have.
func known(t testing.TB, args map[string]any, fields ...string) bool {
	for k := range args {
		if !slices.Contains(fields, k) {
			t.Errorf("there is no field %s in %v", k, fields)
			return false
		}
	}
	return true
}

func (g *graph) last() map[string]any {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.sent) == 0 {
		return nil
	}
	return g.sent[len(g.sent)-1]
}

func arguments(r *http.Request, body []byte) (map[string]any, error) {
	args := map[string]any{}
	if r.Method == http.MethodGet {
		for k := range r.URL.Query() {
			args[k] = r.URL.Query().Get(k)
		}
		return args, nil
	}
	kind, p, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	if kind == "application/json" {
		return args, json.Unmarshal(body, &args)
	}
	for form := multipart.NewReader(bytes.NewReader(body), p["boundary"]); ; {
		part, err := form.NextPart()
		if err == io.EOF {
			return args, nil
		}
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		args[part.FormName()] = string(b)
		if part.FileName() != "" {
			args[part.FormName()] = part.FileName() + "=" + part.Header.Get("Content-Type") + "=" + string(b)
		}
	}
}

// adapter is what the three have.
type adapter interface {
	channel.Adapter
	Routes(mux *http.ServeMux)
}

// bench is an adapter with its provider.
type bench struct {
	*graph
	name    string
	inboxes *hostedtest.Registry
	adapter adapter
	mux     *http.ServeMux
	blobs   blob.Store
}

func start(t testing.TB, intake channel.Intake, name string, makes func(hosted.Deps) adapter, more map[string]string) *bench {
	b := &bench{graph: newGraph(t), name: name, mux: http.NewServeMux()}
	keys := crypt.NewDeterministic("test")
	dir, err := blob.NewDir(t.TempDir(), keys)
	if err != nil {
		t.Fatal(err)
	}
	b.blobs = dir
	settings := func(id string) map[string]string {
		s := map[string]string{"account_id": id, "access_token": token, "app_secret": newSecret + "\n" + oldSecret, "verify_token": "a word of ours", "api_url": b.URL}
		for k, v := range more {
			s[k] = v
		}
		return s
	}
	b.inboxes = hostedtest.Inboxes(
		inbox.Inbox{ID: "one", Channel: name, Name: "One", Settings: settings(account)},
		inbox.Inbox{ID: "two", Channel: name, Name: "Two", Settings: settings(elsewhere)},
	)
	b.adapter = makes(hosted.Deps{Intake: intake, Inboxes: b.inboxes, Client: b.Client(), Keys: keys, Blobs: dir, After: b.Clock.After})
	b.adapter.Routes(b.mux)
	ctx, stop := context.WithCancel(context.Background())
	done := running(ctx, b.adapter)
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		dir.Close()
	})
	return b
}

func running(ctx context.Context, a adapter) chan error {
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	return done
}

// request is what Meta posts, signed.
func (b *bench) request(secret string, body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, hosted.HookPath(b.name, "one"), bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(m.Sum(nil)))
	return r
}

func (b *bench) hook(body any) int {
	raw, ok := body.([]byte)
	if !ok {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			b.t.Error(err)
		}
	}
	w := httptest.NewRecorder()
	b.mux.ServeHTTP(w, b.request(newSecret, raw))
	return w.Code
}

// file is one of testdata.
func file(t testing.TB, name string) []byte {
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// taken posts a file of testdata and parses what is stored of it.
func (b *bench) taken(in *channeltest.Intake, name string) ([]channel.Raw, []channel.Item) {
	b.t.Helper()
	before := len(in.Taken())
	if code := b.hook(file(b.t, name)); code != http.StatusOK {
		b.t.Fatalf("%s: answer %d", name, code)
	}
	raws := in.Taken()[before:]
	var items []channel.Item
	for _, raw := range raws {
		got, err := b.adapter.Parse(raw)
		if err != nil {
			b.t.Fatalf("%s: %v", name, err)
		}
		items = append(items, got...)
	}
	return raws, items
}

func (b *bench) keep(data string) string {
	key, _, err := b.blobs.Put(b.t.Context(), "k", strings.NewReader(data), 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	return key
}

// fuzzParse begins with the files whose names begin with prefix.
func fuzzParse(f *testing.F, name, prefix string, p channel.Parser) {
	channeltest.Fuzz(f, p, channel.Raw{
		Channel: name, Inbox: "one", ProviderID: "p", ReceivedAt: time.Unix(1764240000, 0), ContentType: "application/vnd.weftline." + name + "+json",
	}, "testdata/"+prefix+"*.json")
}
