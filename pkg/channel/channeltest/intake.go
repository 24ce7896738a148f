package channeltest

import (
	"context"
	"errors"
	"sync"

	"github.com/weftline/weftline/pkg/channel"
)

// Intake remembers what it took. It fails while Fail is set. Safe for concurrent use.
type Intake struct {
	mu       sync.Mutex
	fail     error
	offered  int
	taken    []channel.Raw
	receipts []channel.Receipt
}

var errFull = errors.New("disk is full")

// Fail makes Accept fail with err, or work again with nil.
func (in *Intake) Fail(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.fail = err
}

// Accept takes inputs unless told to fail.
func (in *Intake) Accept(_ context.Context, inputs ...channel.Raw) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.offered++
	if in.fail != nil {
		return in.fail
	}
	in.taken = append(in.taken, inputs...)
	return nil
}

// Report takes receipts.
func (in *Intake) Report(_ context.Context, receipts ...channel.Receipt) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.receipts = append(in.receipts, receipts...)
	return nil
}

// Taken lists the inputs accepted so far.
func (in *Intake) Taken() []channel.Raw {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]channel.Raw(nil), in.taken...)
}

// Reported lists the receipts taken so far.
func (in *Intake) Reported() []channel.Receipt {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]channel.Receipt(nil), in.receipts...)
}
