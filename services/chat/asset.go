package chat

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"time"
)

//go:embed dist
var dist embed.FS

//go:embed page/*.html
var templates embed.FS

// asset is a file of the widget's build, which is part of the source tree: no
// Node is needed to run the hub.
func asset(name string) []byte {
	b, err := dist.ReadFile("dist/" + name)
	if err != nil {
		panic("chat: " + err.Error()) // the file list is fixed at compile time and tested
	}
	return b
}

// assetNames are the files every page of a widget may load. The loader is not
// among them: it is made for its inbox.
func assetNames() []string {
	names := []string{"frame.js", "frame.css", "demo.css", "emoji.js", "invite.js"}
	for _, l := range languages {
		if l != "en" { // is in frame.js
			names = append(names, "words-"+l+".js")
		}
	}
	return names
}

// serveBytes answers with an ETag over the content; names carry no hash.
func serveBytes(w http.ResponseWriter, r *http.Request, kind string, b []byte) {
	sum := sha256.Sum256(b)
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}
