package replay

import (
	"context"
	"fmt"
	"time"

	"github.com/weftline/weftline/services/internal/docstore"
)

// checkpoints are the streams an import that is not at its end has written. They
// save reading them again; what is written is decided by the streams alone.
const checkpoints = "imports"

const byFile = "by_file"

// saveEvery is how long a finished stream may wait to be noted.
const saveEvery = time.Second

// finished are the marks of the file.
func (r *run) finished(ctx context.Context) (map[string]bool, error) {
	done := map[string]bool{}
	for token := ""; ; {
		page, err := r.State.List(ctx, checkpoints, docstore.Query{Index: byFile, Prefix: []any{r.digest}, Limit: docstore.MaxPage, After: token})
		if err != nil {
			return nil, fmt.Errorf("how far the import is: %w", err)
		}
		for _, d := range page {
			done[d.ID], token = true, d.Token
		}
		if len(page) < docstore.MaxPage {
			return done, nil
		}
	}
}

// finish notes a stream, durably soon after.
func (r *run) finish(ctx context.Context, mark string) error {
	r.saving.Lock()
	defer r.saving.Unlock()
	r.marks = append(r.marks, docstore.Op{Collection: checkpoints, Doc: docstore.Doc{ID: mark, JSON: []byte(`{"file":"` + r.digest + `"}`)}})
	if r.saved.IsZero() {
		r.saved = time.Now()
	}
	if time.Since(r.saved) < saveEvery {
		return nil
	}
	return r.save(ctx)
}

func (r *run) flush(ctx context.Context) error {
	r.saving.Lock()
	defer r.saving.Unlock()
	return r.save(ctx)
}

func (r *run) save(ctx context.Context) error {
	for len(r.marks) > 0 {
		n := min(len(r.marks), 1000)
		if err := r.State.Apply(ctx, docstore.Batch{Ops: r.marks[:n]}); err != nil {
			return fmt.Errorf("note how far the import is: %w", err)
		}
		r.marks = r.marks[n:]
	}
	r.saved = time.Now()
	return nil
}

// forget takes the marks out again when the import is at its end.
func (r *run) forget(ctx context.Context) error {
	done, err := r.finished(ctx)
	if err != nil {
		return err
	}
	var ops []docstore.Op
	for id := range done {
		ops = append(ops, docstore.Op{Collection: checkpoints, Doc: docstore.Doc{ID: id}, Delete: true})
	}
	for len(ops) > 0 {
		n := min(len(ops), 1000)
		if err := r.State.Apply(ctx, docstore.Batch{Ops: ops[:n]}); err != nil {
			return fmt.Errorf("forget how far the import was: %w", err)
		}
		ops = ops[n:]
	}
	return nil
}
