package file_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/weftline/weftline/services/internal/file"
)

func TestOnlyPicturesWithAHeaderAreShown(t *testing.T) {
	t.Parallel()
	square := image.NewPaletted(image.Rect(0, 0, 3, 2), color.Palette{color.Black, color.White})
	encoded := map[string][]byte{}
	for kind, encode := range map[string]func(*bytes.Buffer) error{
		"image/png":  func(b *bytes.Buffer) error { return png.Encode(b, square) },
		"image/jpeg": func(b *bytes.Buffer) error { return jpeg.Encode(b, square, nil) },
		"image/gif":  func(b *bytes.Buffer) error { return gif.Encode(b, square, nil) },
	} {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			t.Fatal(err)
		}
		encoded[kind] = b.Bytes()
	}
	var err error // one pixel each, lossy and lossless
	if encoded["image/webp"], err = base64.StdEncoding.DecodeString("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA"); err != nil {
		t.Fatal(err)
	}
	for kind, data := range encoded {
		if got := file.Picture(data); got != kind {
			t.Errorf("%s is %q", kind, got)
		}
	}
	huge := bytes.Clone(encoded["image/png"]) // IHDR: width and height follow its name
	binary.BigEndian.PutUint32(huge[16:], 60_000)
	binary.BigEndian.PutUint32(huge[20:], 60_000)
	vast := bytes.Clone(encoded["image/gif"])
	binary.LittleEndian.PutUint16(vast[6:], 60_000)
	binary.LittleEndian.PutUint16(vast[8:], 60_000)
	for name, data := range map[string][]byte{
		"a GIF that ends in its header":  []byte("GIF89a\x01"),
		"a GIF that is text":             []byte("GIF89a and so on, which is no picture"),
		"a PNG that is text":             []byte("\x89PNG\r\n\x1a\n and so on"),
		"half a JPEG":                    encoded["image/jpeg"][:20],
		"a WebP of nothing":              append([]byte("RIFF\x00\x00\x00\x00WEBPVP8 "), make([]byte, 20)...),
		"half a WebP":                    encoded["image/webp"][:20],
		"more pixels than can be shown":  huge,
		"a GIF of as many":               vast,
		"nothing":                        nil,
		"SVG":                            []byte("<svg xmlns='http://www.w3.org/2000/svg'/>"),
		"a page that begins like a page": []byte("<html>GIF89a"),
	} {
		if got := file.Picture(data); got != "" {
			t.Errorf("%s is shown as %q", name, got)
		}
	}
}
