package listener

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// errBusy: too much is in memory now.
var errBusy = errors.New("too many mails at once")

// budget is the memory that mails under way may take together.
type budget struct {
	mu   sync.Mutex
	left int64
}

func (b *budget) take(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < n {
		return false
	}
	b.left -= n
	return true
}

func (b *budget) give(n int64) {
	b.mu.Lock()
	b.left += n
	b.mu.Unlock()
}

// read reads r to its end. release gives the memory back, also after an error.
func (b *budget) read(r io.Reader) (data []byte, release func(), err error) {
	const step = 1 << 20
	var buf bytes.Buffer
	taken := int64(0)
	release = func() { b.give(taken) }
	for {
		if !b.take(step) {
			return nil, release, errBusy
		}
		taken += step
		n, err := io.CopyN(&buf, r, step)
		if errors.Is(err, io.EOF) {
			return buf.Bytes(), release, nil
		}
		if err != nil {
			return nil, release, err
		}
		_ = n
	}
}
