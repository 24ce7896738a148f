package console_test

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestPicturesAreFetchedForTheAgentAndNothingElseIs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner(t)
	var pic bytes.Buffer
	if err := png.Encode(&pic, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "" || r.Header.Get("Referer") != "" {
			t.Error("the agent is recognisable")
		}
		switch r.URL.Path {
		case "/ok.png":
			_, _ = w.Write(pic.Bytes())
		case "/svg.png":
			w.Header().Set("Content-Type", "image/png")
			_, _ = io.WriteString(w, "<svg onload=alert(1)>")
		case "/big.png":
			_, _ = w.Write(append(pic.Bytes(), make([]byte, 6<<20)...))
		}
	}))
	defer web.Close()
	get := func(c *http.Client, u string) (int, string) {
		res, err := c.Get(b.srv.URL + "/api/remote-image?url=" + url.QueryEscape(u))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(body)
	}
	if code, _ := get(b.http, web.URL+"/ok.png"); code != http.StatusForbidden {
		t.Errorf("a picture inside: %d", code)
	}
	if code, _ := get(&http.Client{Transport: ownTransport}, web.URL+"/ok.png"); code != http.StatusUnauthorized {
		t.Errorf("anonymous: %d", code)
	}
	b.c.AllowPicturesFrom(web.Client())
	for path, want := range map[string]int{"/ok.png": 200, "/svg.png": 400, "/big.png": 503} {
		if code, body := get(b.http, web.URL+path); code != want || code == 200 && body != pic.String() {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
	for _, u := range []string{"", "javascript:alert(1)", "file:///etc/passwd", "//x"} {
		if code, _ := get(b.http, u); code != http.StatusBadRequest {
			t.Errorf("%q: %d", u, code)
		}
	}
}
