package main

import (
	"context"
	"fmt"
	"time"

	"github.com/weftline/weftline/services/conversation"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/loghead"
)

// noteHeadEvery is how often the end of the log is noted. What is lost after the
// last note, and was followed by nobody yet, is not missed.
const noteHeadEvery = 3 * time.Second

// followed is how far the log was followed, as the stores have it.
func (p *platform) followed(ctx context.Context, partition int) (uint64, error) {
	return conversation.Followed(ctx, p.views, p.state, partition)
}

// checkLog refuses a log that ends before what is known of it.
func (p *platform) checkLog(ctx context.Context) error {
	return loghead.Check(ctx, p.events, p.state, p.followed)
}

// noteLog notes the end once more when everything has stopped.
func (p *platform) noteLog(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, noteHeadEvery)
	defer cancel()
	err := loghead.Note(ctx, p.events, p.state)
	if err == nil && p.embedded != nil { // of a cluster, others may go on
		err = loghead.End(ctx, p.events, p.state)
	}
	if err != nil {
		p.log.Warn("the end of the log is not noted", "error", err)
	}
}

func (p *platform) watchLogHead(ctx context.Context) error {
	loghead.Watch(ctx, noteHeadEvery, p.events, p.state, func(err error) {
		p.log.Warn("the end of the log is not noted", "error", err)
	})
	return nil
}

func acceptLoss(ctx context.Context, in invocation) error {
	o := flags(in, "accept-loss", "go on without the end of the event log that was lost, while no hub runs; it is recorded in the audit log")
	if err := o.parse(in, 0); err != nil {
		return err
	}
	cfg, err := o.load(in)
	if err != nil {
		return err
	}
	if err := mustExist(cfg, "accept-loss", true); err != nil {
		return err
	}
	p, err := openDamaged(ctx, cfg, logger(cfg, in.stderr))
	if err != nil {
		return err
	}
	defer p.close()
	losses, err := loghead.Losses(ctx, p.events, p.state, p.followed)
	if err != nil {
		return err
	}
	interrupted, err := loghead.Interrupted(ctx, p.state)
	if err != nil {
		return err
	}
	if len(losses) == 0 && !interrupted {
		fmt.Fprintln(in.stdout, "nothing is lost: each partition reaches as far as is known")
		return nil
	}
	ctx = actor.With(ctx, audit.Operator())
	for _, l := range losses {
		if l.Inside {
			fmt.Fprintf(in.stdout, "partition %d: %d of %d commits are lost\n", l.Partition, l.Expected-l.Found, l.Expected)
		} else {
			fmt.Fprintf(in.stdout, "partition %d: commits %d to %d are lost\n", l.Partition, l.Found+1, l.Expected)
		}
		if err := p.audit.RecordSync(ctx, audit.Entry{Action: audit.LossAccepted, IDs: map[string]string{
			"partition": fmt.Sprint(l.Partition), "expected": fmt.Sprint(l.Expected), "found": fmt.Sprint(l.Found),
		}}); err != nil {
			return err
		}
	}
	if err := loghead.Accept(ctx, p.state,
		// First: what an interrupted one left cannot be read by a rebuild.
		func(ctx context.Context) error { return p.fill(ctx, losses) },
		p.events.DropSnapshots,
		func(ctx context.Context) error {
			return conversation.ForgetLost(ctx, p.views, p.events, p.keys, cfg.Identity.Rules, p.log)
		},
	); err != nil {
		return err
	}
	p.noteLog(ctx)
	fmt.Fprintln(in.stdout, "the loss is accepted and recorded in the audit log; start the hub")
	return nil
}

// fill uses up the sequences that were lost, of every partition, so that what an
// interrupted one left goes too.
func (p *platform) fill(ctx context.Context, losses []loghead.Loss) error {
	to := make([]uint64, p.events.Partitions())
	for _, l := range losses {
		if !l.Inside {
			to[l.Partition] = l.Expected
		}
	}
	for partition, seq := range to {
		if err := p.events.Fill(ctx, partition, seq); err != nil {
			return err
		}
	}
	return nil
}
