package console_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/console"
)

func TestUploadIsTypedByContentAndNamedSafely(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	body := "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../../\u200b.htaccess\"\r\nContent-Type: image/png\r\n\r\n<html><script>1</script>\r\n--x--\r\n"
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, b.srv.URL+"/api/attachments", strings.NewReader(body))
	req.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	res, err := b.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var out struct {
		ID, Name, ContentType string
		Size                  int64
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	if out.Name != "htaccess" || !strings.HasPrefix(out.ContentType, "text/html") || out.Size != 24 || out.ID == "" {
		t.Fatalf("upload: %+v", out)
	}
}

// TestUploadIsRefusedAsCallsAre: JSON with the field, as the rest of the API.
func TestUploadIsRefusedAsCallsAre(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	form := func(field, body string) string {
		return "--x\r\nContent-Disposition: form-data; name=\"" + field + "\"; filename=\"a\"\r\n\r\n" + body + "\r\n--x--\r\n"
	}
	for name, c := range map[string]struct {
		client              *http.Client
		kind, body          string
		status              int
		code, message, said string
	}{
		"no form":    {b.http, "text/plain", "x", 400, "invalid_argument", "file: send multipart/form-data", "file"},
		"no file":    {b.http, "multipart/form-data; boundary=x", form("other", "x"), 400, "invalid_argument", "file: missing", "file"},
		"too large":  {b.http, "multipart/form-data; boundary=x", form("file", strings.Repeat("x", console.MaxUpload+1)), 400, "invalid_argument", "file: larger than 25 MiB", "file"},
		"a stranger": {&http.Client{}, "multipart/form-data; boundary=x", form("file", "x"), 401, "unauthenticated", "log in, or send Authorization: Bearer <token>", ""},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, b.srv.URL+"/api/attachments", strings.NewReader(c.body))
		req.Header.Set("Content-Type", c.kind)
		res, err := c.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Code, Message string
			Details       []struct {
				Debug struct {
					FieldViolations []struct{ Field string } `json:"fieldViolations"`
				}
			}
		}
		err = json.NewDecoder(res.Body).Decode(&got)
		res.Body.Close()
		if err != nil || res.StatusCode != c.status || got.Code != c.code || got.Message != c.message || res.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %s %+v, %v", name, res.Status, got, err)
		}
		if c.said != "" && (len(got.Details) != 1 || got.Details[0].Debug.FieldViolations[0].Field != c.said) {
			t.Errorf("%s: details %+v", name, got.Details)
		}
	}
}
