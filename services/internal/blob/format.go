package blob

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/weftline/weftline/services/internal/crypt"
)

// A blob's file: "WFB1", the length of the data key's name (2 bytes), the name,
// then chunks: the length of the box (4 bytes), the box. Numbers are
// big-endian. Each chunk but the last holds chunkSize bytes; its associated
// data names blob, position and whether it is the last, so chunks cannot be
// cut off, exchanged or brought from elsewhere.
const (
	magic      = "WFB1"
	chunkSize  = 1 << 20
	maxBox     = chunkSize + 256 // boxes are a little longer than what is in them
	maxDataKey = 512
)

func chunkAAD(key string, n uint32, last bool) []byte {
	b := append([]byte("blob\x00"), key...)
	b = binary.BigEndian.AppendUint32(append(b, 0), n)
	if last {
		return append(b, 1)
	}
	return append(b, 0)
}

// seal writes the file of a blob to w.
func seal(ctx context.Context, keys Keys, w io.Writer, r io.Reader, key, dataKey string, limit int64) (int64, error) {
	head := append([]byte(magic), byte(len(dataKey)>>8), byte(len(dataKey)))
	if _, err := w.Write(append(head, dataKey...)); err != nil {
		return 0, err
	}
	// One byte more than a chunk tells whether it is the last.
	buf := make([]byte, 0, min(limit, chunkSize)+1)
	var size int64
	for n := uint32(0); ; n++ {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		have := len(buf)
		got, err := io.ReadFull(r, buf[have:cap(buf)])
		buf = buf[:have+got]
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return 0, fmt.Errorf("read content: %w", err)
		}
		chunk := buf[:min(len(buf), chunkSize)]
		if size+int64(len(buf)) > limit {
			return 0, ErrTooLarge
		}
		size += int64(len(chunk))
		s, err := keys.Seal(ctx, dataKey, chunk, chunkAAD(key, n, last))
		if err != nil {
			return 0, err
		}
		if _, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(s.Box))), s.Box...)); err != nil {
			return 0, err
		}
		if last {
			return size, nil
		}
		buf = append(buf[:0], buf[len(chunk):]...)
	}
}

// unseal reads the file of a blob.
func unseal(ctx context.Context, keys Keys, r io.Reader, key string) ([]byte, error) {
	name, err := readHead(r)
	if err != nil {
		return nil, err
	}
	box, err := readBox(r)
	if errors.Is(err, io.EOF) {
		return nil, damaged("content", err)
	}
	if err != nil {
		return nil, err
	}
	var out []byte
	for n := uint32(0); ; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		next, err := readBox(r)
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return nil, err
		}
		plain, err := keys.Open(ctx, crypt.Sealed{Key: name, Box: box}, chunkAAD(key, n, last))
		if errors.Is(err, crypt.ErrForged) {
			return nil, damaged("content", err)
		}
		if err != nil {
			return nil, err // the key is gone, or cannot be read now
		}
		if len(out)+len(plain) > MaxSize {
			return nil, damaged("content", errors.New("longer than any blob"))
		}
		out = append(out, plain...)
		if last {
			return out, nil
		}
		box = next
	}
}

// readHead gives the name of the data key.
func readHead(r io.Reader) (string, error) {
	head := make([]byte, len(magic)+2)
	if _, err := io.ReadFull(r, head); err != nil {
		return "", damaged("head", err)
	}
	n := int(binary.BigEndian.Uint16(head[len(magic):]))
	if string(head[:len(magic)]) != magic || n == 0 || n > maxDataKey {
		return "", damaged("head", errors.New("format unknown"))
	}
	name := make([]byte, n)
	if _, err := io.ReadFull(r, name); err != nil {
		return "", damaged("head", err)
	}
	return string(name), nil
}

// readBox fails with io.EOF only where a file may end.
func readBox(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); errors.Is(err, io.EOF) {
		return nil, io.EOF
	} else if err != nil {
		return nil, damaged("content", err)
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxBox {
		return nil, damaged("content", fmt.Errorf("a chunk of %d bytes", n))
	}
	box := make([]byte, n)
	if _, err := io.ReadFull(r, box); err != nil {
		return nil, damaged("content", noEOF(err))
	}
	return box, nil
}

func damaged(part string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrCorrupt, part, noEOF(err))
}

// noEOF: an end too early is not the end.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
