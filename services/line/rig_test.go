//go:build rig

package line_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
)

// TestRigLineBotSDK: LINE's own SDK takes the signatures that the adapter takes
// and refuses those that it refuses; as a client it finds our fake to be the API
// it knows, down to the second push with one retry key. LINE itself was not there.
func TestRigLineBotSDK(t *testing.T) {
	dir := os.Getenv("WEFTLINE_RIG_LINE")
	if dir == "" {
		dir = t.TempDir()
	}
	in := &channeltest.Intake{}
	s := start(t, in)
	s.set(func() { s.files["7"] = []byte("the file") })

	type request struct {
		Body      string `json:"body"`
		Signature string `json:"signature"`
	}
	var requests []request
	var taken []bool
	good := hookRequest(oldSecret, said("1", "Where is it? שלום 👋", time.Now()))
	var body bytes.Buffer
	if _, err := body.ReadFrom(good.Body); err != nil {
		t.Fatal(err)
	}
	signature := good.Header.Get("X-Line-Signature")
	for _, r := range []request{
		{body.String(), signature},
		{body.String() + " ", signature},
		{body.String(), sign("another secret of nobody", body.Bytes())},
		{body.String(), "AAAA"},
		{body.String(), ""},
	} {
		post := httptest.NewRequest("POST", "/hooks/line/shop", bytes.NewReader([]byte(r.Body)))
		post.Header.Set("X-Line-Signature", r.Signature)
		w := httptest.NewRecorder()
		s.mux.ServeHTTP(w, post)
		requests, taken = append(requests, r), append(taken, w.Code == 200)
	}

	out := outbound(channeltest.Subject{})
	out.ID, out.Content.Text = "r1", "from the hub"
	if r, err := s.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateSent {
		t.Fatalf("%+v, %v", r, err)
	}
	question, err := json.Marshal(map[string]any{
		"secret": oldSecret, "requests": requests, "api": s.URL, "token": otherToken, "user": ada, "text": "from the SDK 👋", "content": "7",
		"retryKey": "123e4567-e89b-12d3-a456-426614174000", "endpoint": "https://sdk.example/hook",
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // npm may have to install first
	defer cancel()
	cmd := exec.CommandContext(ctx, "../../deploy/rig/start-line.sh", dir)
	var log bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(question), &log
	answered, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, log.String())
	}
	var got struct {
		Valid                         []bool
		Bot, Profile, Pushed, Content string
		Conflict                      int
		Endpoint                      struct {
			Endpoint string
			Active   bool
		}
	}
	if err := json.Unmarshal(answered, &got); err != nil {
		t.Fatalf("%v: %s", err, answered)
	}
	for i := range requests {
		if got.Valid[i] != taken[i] || taken[i] != (i == 0) {
			t.Errorf("request %d: the SDK says %t, the adapter %t", i, got.Valid[i], taken[i])
		}
	}
	if got.Bot != "Shop" || got.Profile != "Ada" || got.Pushed == "" || got.Conflict != 409 || got.Content != "the file" ||
		got.Endpoint.Endpoint != "https://sdk.example/hook" || !got.Endpoint.Active {
		t.Errorf("the SDK got %s", answered)
	}
	if shown := s.Shown(); len(shown) != 2 || shown[1] != "from the SDK 👋" {
		t.Errorf("the customer sees %q", shown)
	}
}
