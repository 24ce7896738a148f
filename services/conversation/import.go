package conversation

import (
	"context"
	"fmt"
	"io"

	"github.com/weftline/weftline/services/conversation/internal/replay"
)

// What operators see of an import.
type (
	ImportConfig   = replay.Config
	ImportProgress = replay.Progress
	ImportReport   = replay.Report
	ImportBadLine  = replay.BadLine
)

// ErrImportRefused: a line was bad and the import is strict.
var ErrImportRefused = replay.ErrRefused

// ImportDeps are what an import needs of other rooms.
type ImportDeps struct {
	Sanitise func(html string) string
	Agent    func(ctx context.Context, ref string) (id string, ok bool) // nil: nobody is known
}

// Import replays a file of history, beside the running service or without it;
// docs/import.md describes the file. Nothing is sent and nobody is told. Called
// again it goes on, and adds nothing twice.
func (s *Service) Import(ctx context.Context, cfg ImportConfig, d ImportDeps, file io.ReaderAt, size int64) (ImportReport, error) {
	cfg.Tenant = s.cfg.Tenant
	if err := s.project(ctx); err != nil {
		return ImportReport{}, err
	}
	look := lookup{s.reader, s.live}
	im, err := replay.New(ctx, replay.Deps{
		Events: s.deps.Events, Customers: s.customers, Claims: s.claims, Settle: s.settler, Keys: s.deps.Keys, Blobs: s.deps.Blobs, State: s.deps.State,
		Known: look.Known, EventID: s.commands.EventID, Sanitise: d.Sanitise, Agent: d.Agent, Channel: s.channelOf, Log: s.log,
	})
	if err != nil {
		return ImportReport{}, err
	}
	return im.Run(ctx, cfg, file, size)
}

// project brings the read models up to what is stored now, whether the service
// runs or not.
func (s *Service) project(ctx context.Context) error {
	for p := range s.deps.Events.Partitions() {
		head, err := s.deps.Events.Head(ctx, p)
		if err != nil {
			return fmt.Errorf("head of partition %d: %w", p, err)
		}
		for at := s.live.Applied(p); at < head; {
			commits, err := s.deps.Events.Read(ctx, p, at+1, 500)
			if err != nil {
				return fmt.Errorf("read partition %d: %w", p, err)
			}
			if len(commits) == 0 {
				break
			}
			if err := s.live.Apply(ctx, p, commits); err != nil {
				return fmt.Errorf("bring the read models up to date: %w", err)
			}
			at = max(commits[len(commits)-1].Seq, s.live.Applied(p))
		}
	}
	return nil
}
