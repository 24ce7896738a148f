package feed

import (
	"context"
	"fmt"

	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
)

// ties shows a commit of a link or join stream: one event for each side, so
// that whoever looks at either customer hears of it. They are counted through
// the whole commit, for cursors between them.
func (f *Feed) ties(ctx context.Context, d readmodel.Commit) ([]built, error) {
	var out []built
	for i, ev := range d.Events {
		for _, e := range readmodel.TieEntries(d.Place(i), ev) {
			entry, err := f.view.Entry(ctx, &e, nil)
			if err != nil {
				return nil, fmt.Errorf("show commit %d of partition %d: %w", d.Seq, d.Partition, err)
			}
			out = append(out, built{index: len(out), event: &realtimev1.Event{Entry: entry, Trace: d.Trace}})
		}
	}
	return out, nil
}
