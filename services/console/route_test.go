package console_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/console"
)

// TestPathsOfNobodyAreNotFound: only what the console's own router knows gets its page.
func TestPathsOfNobodyAreNotFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	accept := ""
	get := func(path string) (int, string, string) {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, b.srv.URL+path, nil)
		req.Header.Set("Accept", accept)
		res, err := b.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return res.StatusCode, res.Header.Get("Content-Type"), string(body)
	}
	for _, path := range []string{"/api/nothing", "/api/", "/api", "/v1/nothing", "/v2", "/weftline.nobody.v1.Service/Call", "/api/attachments"} {
		if code, kind, body := get(path); code != 404 || kind != "application/json" || !strings.Contains(body, `"code":"not_found"`) {
			t.Errorf("%s: %d %s %.80s", path, code, kind, body)
		}
	}
	for _, path := range []string{"/hooks/sms/nobody", "/chat/nobody/upload", "/robots.txt", "/.env", "/c", "/c/a/b", "/inboxes", "/settings/inboxes/x", "/wp-admin/", "/customers/a.php/x", "/index.php"} {
		if code, kind, body := get(path); code != 404 || !strings.HasPrefix(kind, "text/plain") || body != "there is nothing at this address\n" {
			t.Errorf("%s: %d %s %.80s", path, code, kind, body)
		}
	}
	accept = "text/html,application/xhtml+xml,*/*;q=0.8" // a browser that goes there
	for path, want := range map[string]string{
		"/nowhere": "text/html", "/c/a/b": "text/html", "/hooks/sms/nobody": "text/plain", "/index.php": "text/plain", "/api/nothing": "application/json",
	} {
		if code, kind, _ := get(path); code != 404 || !strings.HasPrefix(kind, want) {
			t.Errorf("a browser at %s: %d %s", path, code, kind)
		}
	}
	routes, err := os.ReadFile("web/src/boot/routes.tsx")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`getParentRoute: \(\) => (\w+), path: '([^']*)'`).FindAllStringSubmatch(string(routes), -1)
	if len(found) < 10 {
		t.Fatalf("the router's paths are not found: %q", found)
	}
	for _, m := range found {
		path := strings.NewReplacer("$conversationId", "01m8", "$customerId", "01m9").Replace(m[2])
		if m[1] == "settings" {
			path = "/settings" + strings.TrimSuffix(path, "/")
		}
		if code, kind, _ := get(path); code != 200 || !strings.HasPrefix(kind, "text/html") {
			t.Errorf("%s is the router's: %d %s", path, code, kind)
		}
	}
}

func TestStaticPagesCarryTheirHeaders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	get := func(path string, h http.Header) *http.Response {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, b.srv.URL+path, nil)
		req.Header = h
		res, err := b.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	res := get("/c/anything", http.Header{})
	if res.StatusCode != 200 || !strings.Contains(res.Header.Get("Content-Security-Policy"), "script-src 'self'") || res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Fatalf("navigation: %s %v", res.Status, res.Header)
	}
	if again := get("/c/anything", http.Header{"If-None-Match": {res.Header.Get("ETag")}}); again.StatusCode != http.StatusNotModified {
		t.Errorf("revalidation: %s", again.Status)
	}
	if miss := get("/assets/none.js", http.Header{}); miss.StatusCode != http.StatusNotFound {
		t.Errorf("missing asset: %s", miss.Status)
	}
}

func TestNamesShowWhatTheyAre(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	refused := func(method, body string) string {
		t.Helper()
		code, m := b.call(t, b.http, "", rpcPath+method, body)
		if code != http.StatusBadRequest {
			t.Errorf("%s %s: %d %v", method, body, code, m)
		}
		return fmt.Sprint(m["message"])
	}
	for _, name := range []string{`Ada\r\nBcc: x@y.example`, `nul\u0000`, `right\u202eto left`, `\u2066isolated`} {
		for method, body := range map[string]string{
			"SaveAgent":   `{"agent":{"name":"%s","email":"n@example.org","role":"ROLE_AGENT"},"password":"long enough"}`,
			"CreateToken": `{"name":"%s","scopes":["inbox"]}`,
			"SaveInbox":   `{"inbox":{"id":"named","channel":"email","name":"%s","settings":{"imap_host":"mx.example.org"}}}`,
		} {
			if msg := refused(method, fmt.Sprintf(body, name)); !strings.HasPrefix(msg, "name: ") {
				t.Errorf("%s of %s: %s", method, name, msg)
			}
		}
	}
	refused("SaveAgent", `{"agent":{"name":"Ada","email":"n@example.org","role":7},"password":"long enough"}`)
	refused("CreateToken", `{"name":"x","scopes":["inbox","inbox","inbox"]}`)
	if code, m := b.call(t, b.http, "", rpcPath+"SaveAgent", `{"agent":{"name":"Ада 👩‍💻","email":"n@example.org","role":"ROLE_AGENT"},"password":"long enough"}`); code != http.StatusOK {
		t.Errorf("a name of letters and an emoji: %d %v", code, m)
	}
}

func TestUnknownCallsAreNotFound(t *testing.T) {
	t.Parallel()
	b := setup(t, func(d *console.Deps) {
		d.Backend = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "{}") })
	})
	b.owner(t)
	post := func(path string) (int, string, string) {
		res, err := b.http.Post(b.srv.URL+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return res.StatusCode, res.Header.Get("Content-Type"), string(body)
	}
	for _, path := range []string{
		"/weftline.inbox.v1.InboxService/Frobnicate", "/weftline.inbox.v1.InboxService/", "/weftline.identity.v1.IdentityService/getcustomer",
		"/weftline.console.v1.ConsoleService/Frobnicate", "/weftline.console.v1.ConsoleService/GetSession/x",
	} {
		if code, kind, body := post(path); code != 404 || kind != "application/json" || !strings.Contains(body, `"code":"not_found"`) {
			t.Errorf("%s: %d %s %.80s", path, code, kind, body)
		}
	}
	for _, path := range []string{"/weftline.inbox.v1.InboxService/GetTimeline", "/weftline.identity.v1.IdentityService/Merge", "/weftline.console.v1.ConsoleService/GetSession"} {
		if code, _, body := post(path); code != 200 {
			t.Errorf("%s: %d %.80s", path, code, body)
		}
	}
}
