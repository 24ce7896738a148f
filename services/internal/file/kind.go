package file

import (
	"mime"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// HeadSize is how much of a file's beginning Kind looks at, in bytes. Office
// documents show what they are only behind the first parts of their archive.
const HeadSize = 16 << 10

func init() { mimetype.SetLimit(HeadSize) }

// unknown is the type of bytes that show nothing.
const unknown = "application/octet-stream"

// Kind is the media type of a file by its content, of which head is the
// beginning, up to HeadSize bytes. What the content leaves open (bytes of no
// known form, plain text, an archive, the container of old office documents) is
// what it was declared to be, if the declared type is of that form; what a
// browser might run is what it is only by its content.
func Kind(head []byte, declared string) string {
	found := mimetype.Detect(head)
	kind := bare(found.String())
	said := bare(declared)
	if said == "" || said == kind || active(said) {
		return kind
	}
	switch {
	case kind == unknown && !strings.HasPrefix(said, "text/") && !strings.HasPrefix(said, "image/"):
		return said
	case kind == "text/plain" && textual(said):
		return said
	case kind == "application/zip", kind == "application/x-ole-storage":
		if m := mimetype.Lookup(said); m != nil {
			for p := m.Parent(); p != nil; p = p.Parent() {
				if p.Is(kind) {
					return said
				}
			}
		}
	}
	return kind
}

// active types may be run by a browser that is shown them.
func active(kind string) bool {
	switch kind {
	case "text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml",
		"text/javascript", "application/javascript", "application/x-shockwave-flash":
		return true
	}
	return strings.HasSuffix(kind, "+xml")
}

func textual(kind string) bool {
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "json") || kind == "message/rfc822" || kind == "application/yaml"
}

// bare is a media type without parameters, lower case; "" when it is none.
func bare(s string) string {
	kind, _, err := mime.ParseMediaType(s)
	if err != nil || !strings.Contains(kind, "/") {
		return ""
	}
	return kind
}
