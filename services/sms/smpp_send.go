package sms

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/sms/gsm"
	"github.com/weftline/weftline/services/sms/smpp"
)

// sendSMPP submits the parts of a message that were not taken yet.
func (a *Adapter) sendSMPP(ctx context.Context, c config, out channel.Outbound) (channel.Receipt, error) {
	k := a.links.ready(ctx, out.Inbox)
	if k == nil {
		return channel.Receipt{}, fmt.Errorf("send: %w", smpp.ErrNotSent)
	}
	if err := a.caller.Closed(out.Inbox); err != nil {
		return channel.Receipt{}, err
	}
	j, err := k.begun(ctx, out)
	if err != nil {
		return channel.Receipt{}, err
	}
	if _, open := j.count(); open > 0 {
		if !j.Told {
			j.Told = true
			return k.half(out, j, a.save(ctx, sendCollection, out.ID, j))
		}
		j = journal{} // all of it, once more
	}
	if j.Parts == nil {
		j = journal{
			Inbox: out.Inbox, At: a.now().Unix(), Customer: out.Customer, To: k.hash(out.To.Address),
			Ref: byte(rand.N(256)), Parts: make([]sentPart, gsm.Measure(out.Content.Text).Parts), //nolint:gosec // a reference, no secret
		}
	}
	parts, err := gsm.Split(out.Content.Text, j.Ref, c.parts)
	if err != nil || len(parts) != len(j.Parts) {
		return hosted.Failed(out, a.now(), fmt.Sprintf("the text takes %d parts, at most %d are sent", gsm.Measure(out.Content.Text).Parts, c.parts))
	}
	for i, p := range parts {
		if j.Parts[i].taken() {
			continue
		}
		if err := k.submit(ctx, out, &j, i, p); err != nil {
			return k.stopped(ctx, out, j, i, err)
		}
	}
	a.caller.Sent(out.Inbox)
	return hosted.Result(out, a.now(), j.Parts[0].ID, nil)
}

// begun is what an earlier attempt has written; empty: there was none.
func (k *link) begun(ctx context.Context, out channel.Outbound) (j journal, err error) {
	_, err = k.a.load(ctx, sendCollection, out.ID, &j)
	return j, err
}

// submit gives one part to the SMSC.
func (k *link) submit(ctx context.Context, out channel.Outbound, j *journal, i int, p gsm.Part) error {
	s, err := k.bound(ctx)
	if err != nil {
		return err
	}
	j.Parts[i].Open = true
	if err := k.a.save(ctx, sendCollection, out.ID, *j); err != nil {
		j.Parts[i].Open = false
		return err
	}
	m := smpp.Message{
		Source: source(k.cfg.number), Dest: destination(out.To.Address), Registered: 1,
		Short: append(append([]byte(nil), p.Header...), p.Data...),
	}
	if p.Coding == gsm.UCS2 {
		m.DataCoding = 8
	}
	if len(p.Header) > 0 {
		m.ESMClass = smpp.ESMHeader
	}
	id, err := s.Submit(ctx, m)
	if errors.Is(err, smpp.ErrNoAnswer) {
		return err // it stays open
	}
	end := context.WithoutCancel(ctx)
	j.Parts[i].Open = false
	if err != nil {
		return errors.Join(err, k.a.save(end, sendCollection, out.ID, *j))
	}
	k.eased()
	return k.taken(end, out, j, i, id)
}

// taken notes the SMSC's id of a part, so that receipts find it.
func (k *link) taken(ctx context.Context, out channel.Outbound, j *journal, i int, id string) error {
	k.taking.Lock()
	defer k.taking.Unlock()
	if id == "" {
		id = fmt.Sprintf("none-%s-%d", out.ID, i) // no receipt will name it
	}
	var old journal // a receipt may have been noted meanwhile for an earlier part
	if found, err := k.a.load(ctx, sendCollection, out.ID, &old); err != nil {
		return err
	} else if found && len(old.Parts) == len(j.Parts) {
		for n := range old.Parts {
			j.Parts[n].Last, j.Parts[n].Code = old.Parts[n].Last, old.Parts[n].Code
		}
	}
	j.Parts[i].ID = clip(id, 100)
	s := sentID{Inbox: k.inbox, At: k.a.now().Unix(), Outbound: out.ID, Part: i, To: j.To}
	send, err := put(sendCollection, out.ID, j)
	if err != nil {
		return err
	}
	name, err := put(idCollection, k.inbox+"/"+plain(id), s)
	if err != nil {
		return err
	}
	if err := k.a.deps.State.Apply(ctx, docstore.Batch{Ops: []docstore.Op{send, name}}); err != nil {
		return fmt.Errorf("note a part that was sent: %w", err)
	}
	if err := k.overtaken(ctx, id, s); err != nil {
		return err
	}
	_, err = k.a.load(ctx, sendCollection, out.ID, j)
	return err
}

// stopped is what a part that was not taken means for the message.
func (k *link) stopped(ctx context.Context, out channel.Outbound, j journal, i int, err error) (channel.Receipt, error) {
	if j.Parts[i].Open {
		return k.half(out, j, nil)
	}
	refused, ok := errors.AsType[*smpp.StatusError](err)
	switch {
	case !ok, errors.Is(err, channel.ErrNeedsAttention):
		return channel.Receipt{}, fmt.Errorf("send: %w", err)
	case refused.Status.Wait():
		return channel.Receipt{}, k.a.caller.Hold(ctx, out.Inbox, k.slower())
	case refused.Status.Temporary():
		return channel.Receipt{}, fmt.Errorf("send: %w", err)
	}
	detail := refused.Error()
	if taken, _ := j.count(); taken > 0 {
		detail = fmt.Sprintf("%d of %d parts were sent, then the %s", taken, len(j.Parts), detail)
	}
	return hosted.Failed(out, k.a.now(), detail)
}

// half is the receipt of a message of which nobody knows whether all of it went out.
func (k *link) half(out channel.Outbound, j journal, err error) (channel.Receipt, error) {
	if err != nil {
		return channel.Receipt{}, err
	}
	taken, _ := j.count()
	r, err := hosted.Result(out, k.a.now(), "", hosted.ErrUnknown)
	r.Detail = "the SMSC did not answer: whether it was sent is not known"
	if len(j.Parts) > 1 {
		r.Detail = fmt.Sprintf("%d of %d parts were sent, of part %d the SMSC's answer is missing", taken, len(j.Parts), taken+1)
	}
	return r, err
}

// slower is how long to wait when the SMSC asks for it: a second, and twice as
// long each time in a row, up to a minute.
func (k *link) slower() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.slow++
	return min(time.Second<<min(k.slow-1, 6), time.Minute)
}

func (k *link) eased() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.slow = 0
}

// source is our number: international, a short code, or a name.
func source(s string) smpp.Address {
	switch digits := strings.TrimPrefix(s, "+"); {
	case digitsOnly(digits) && (len(digits) > 6 || digits != s):
		return smpp.Address{TON: smpp.TONInternational, NPI: 1, Addr: digits}
	case digitsOnly(s):
		return smpp.Address{TON: smpp.TONNetwork, Addr: s}
	}
	return smpp.Address{TON: smpp.TONAlphanumeric, Addr: clip(s, 11)}
}

func destination(s string) smpp.Address {
	if dialled(s) {
		return smpp.Address{TON: smpp.TONInternational, NPI: 1, Addr: s[1:]}
	}
	return smpp.Address{TON: smpp.TONUnknown, NPI: 1, Addr: s}
}

// lookSMPP says what the journal knows: SMSCs are asked by the ids they give, and the id is what got lost.
func (a *Adapter) lookSMPP(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	var j journal
	found, err := a.load(ctx, sendCollection, out.ID, &j)
	if err != nil || !found {
		return channel.Receipt{}, err // not found: nothing was begun
	}
	switch taken, open := j.count(); {
	case open > 0:
		return channel.Receipt{}, fmt.Errorf("%d of %d parts were sent: %w", taken, len(j.Parts), smpp.ErrNoAnswer)
	case taken == len(j.Parts):
		return hosted.Result(out, a.now(), j.Parts[0].ID, nil)
	}
	return channel.Receipt{}, nil // goes on where it stopped
}
