package file

import (
	"bytes"
	"encoding/binary"
	"image"
	_ "image/gif"  // formats that may be shown
	_ "image/jpeg" //
	_ "image/png"  //
	"net/http"
)

// MaxPixels is how large a picture may be that is shown in place: unpacked it takes four bytes for each.
const MaxPixels = 50_000_000

// Picture says as which type a file can be shown in place: PNG, JPEG, GIF or WebP
// by its bytes, whose header can be read, of at most MaxPixels. What it is called
// does not matter. "": it is offered as a file.
func Picture(data []byte) string {
	kind := http.DetectContentType(data)
	var w, h int
	switch kind {
	case "image/png", "image/jpeg", "image/gif":
		cfg, format, err := image.DecodeConfig(bytes.NewReader(data))
		if err != nil || "image/"+format != kind {
			return ""
		}
		w, h = cfg.Width, cfg.Height
	case "image/webp":
		w, h = webp(data)
	}
	if w <= 0 || h <= 0 || w > MaxPixels/h {
		return ""
	}
	return kind
}

// webp reads width and height (RFC 9649, sections 2.5 to 2.7); 0, 0 where it is damaged.
func webp(b []byte) (w, h int) {
	if len(b) < 30 {
		return 0, 0
	}
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(b[at:])) }
	switch string(b[12:16]) {
	case "VP8X":
		return 1 + u16(24) + int(b[26])<<16, 1 + u16(27) + int(b[29])<<16
	case "VP8L":
		if b[20] != 0x2f {
			return 0, 0
		}
		bits := binary.LittleEndian.Uint32(b[21:])
		return 1 + int(bits&0x3fff), 1 + int(bits>>14&0x3fff)
	case "VP8 ":
		if string(b[23:26]) != "\x9d\x01\x2a" {
			return 0, 0
		}
		return u16(26) & 0x3fff, u16(28) & 0x3fff
	}
	return 0, 0
}
