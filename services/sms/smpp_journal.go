package sms

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/sms/smpp"
)

// sendMemory is how long receipts find their message. Validity periods end before.
const sendMemory = 7 * 24 * time.Hour

// journal is what is known of a message's parts, written before and after each
// submit_sm: so what was half sent when the hub stopped is known part by
// part, and goes on where it stopped. It holds no text and no number in clear.
type journal struct {
	Inbox    string     `json:"inbox"`
	At       int64      `json:"at"`
	Customer string     `json:"customer,omitempty"`
	To       string     `json:"to"` // hash
	Ref      byte       `json:"ref"`
	Parts    []sentPart `json:"parts"`
	// Told: after an answer that was lost, a second attempt was answered with
	// unknown as well. A third one is a person's, who wants it sent again.
	Told bool `json:"told,omitempty"`
}

type sentPart struct {
	Open bool       `json:"open,omitempty"` // submitted, the answer is not known
	ID   string     `json:"id,omitempty"`   // the SMSC's
	Last smpp.State `json:"state,omitempty"`
	Code string     `json:"code,omitempty"`
}

func (p sentPart) taken() bool { return p.ID != "" }

func (j journal) count() (taken, open int) {
	for _, p := range j.Parts {
		if p.taken() {
			taken++
		}
		if p.Open {
			open++
		}
	}
	return taken, open
}

// sentID leads from an SMSC's id to the part it names.
type sentID struct {
	Inbox    string `json:"inbox"`
	At       int64  `json:"at"`
	Outbound string `json:"outbound"`
	Part     int    `json:"part"`
	To       string `json:"to"`
}

// early is a receipt that came before the answer to its submit_sm.
type early struct {
	Inbox string     `json:"inbox"`
	At    int64      `json:"at"`
	From  string     `json:"from"` // hash
	State smpp.State `json:"state"`
	Code  string     `json:"code,omitempty"`
	Done  time.Time  `json:"done,omitzero"`
}

// plain is an id in the form that is compared: SMSCs pad with zeroes and change case.
func plain(id string) string {
	id = strings.ToLower(strings.TrimSpace(id))
	if s := strings.TrimLeft(id, "0"); s != "" {
		return s
	}
	return id
}

// spellings are the ids under which what one side calls id may be known on the
// other, surest first. fromReceipt: id is a receipt's, else submit_sm_resp's.
func spellings(id, how string, fromReceipt bool) []string {
	toHex := how == idsSubmitHex == fromReceipt // the other side is hexadecimal
	all := []string{plain(id)}
	switch how {
	case idsSame:
		return all
	case idsAuto:
		return append(append(all, hexadecimal(id)...), decimal(id)...)
	}
	var other []string
	if toHex {
		other = hexadecimal(id)
	} else {
		other = decimal(id)
	}
	if len(other) > 0 {
		return other
	}
	return all
}

func hexadecimal(id string) []string {
	if n, err := strconv.ParseUint(plain(id), 10, 64); err == nil {
		return []string{strconv.FormatUint(n, 16)}
	}
	return nil
}

func decimal(id string) []string {
	if n, err := strconv.ParseUint(plain(id), 16, 64); err == nil {
		return []string{strconv.FormatUint(n, 10)}
	}
	return nil
}

// receipt is what the SMSC says became of a part. One that fits no message may
// be about one whose submit_sm is not answered yet: it is kept, and looked
// at again when the answer comes.
func (k *link) receipt(ctx context.Context, m smpp.Message) error {
	r, _ := smpp.ReadReceipt(m)
	k.taking.Lock()
	defer k.taking.Unlock()
	from := k.hash(m.Source.Addr)
	e := early{Inbox: k.inbox, At: k.a.now().Unix(), From: from, State: r.State, Code: clip(r.Error, 20), Done: r.Done}
	for i, id := range spellings(r.ID, k.cfg.smpp.ids, true) {
		var s sentID
		found, err := k.a.load(ctx, idCollection, k.inbox+"/"+id, &s)
		if err != nil {
			return err
		}
		if found && (i == 0 || s.To == from) { // a guess needs the number as well
			return k.progress(ctx, s, e)
		}
	}
	k.a.odd.Inc()
	return k.a.save(ctx, earlyCollection, k.inbox+"/"+plain(r.ID), e)
}

// overtaken applies a receipt that was there before the answer. taking is held.
func (k *link) overtaken(ctx context.Context, id string, s sentID) error {
	for i, other := range spellings(id, k.cfg.smpp.ids, false) {
		var e early
		doc := k.inbox + "/" + other
		found, err := k.a.load(ctx, earlyCollection, doc, &e)
		if err != nil {
			return err
		}
		if found && (i == 0 || e.From == s.To) {
			if err := k.progress(ctx, s, e); err != nil {
				return err
			}
			return k.a.apply(ctx, drop(earlyCollection, doc))
		}
	}
	return nil
}

// progress notes a part's state and reports what it means for the message: it is
// delivered when all its parts are, and has failed with the first that has.
func (k *link) progress(ctx context.Context, s sentID, e early) error {
	var j journal
	found, err := k.a.load(ctx, sendCollection, s.Outbound, &j)
	if err != nil || !found || s.Part >= len(j.Parts) {
		return err
	}
	p := &j.Parts[s.Part]
	if p.Last == smpp.Delivered {
		return nil
	}
	p.Last, p.Code = e.State, e.Code
	r := channel.Receipt{
		Channel: Name, Inbox: k.inbox, Outbound: s.Outbound, Customer: j.Customer, ProviderID: j.Parts[0].ID, At: e.Done,
	}
	if now := k.a.now().UTC(); r.At.IsZero() || r.At.After(now) {
		r.At = now
	}
	switch e.State {
	case smpp.Delivered:
		for _, p := range j.Parts {
			if p.Last != smpp.Delivered {
				return k.a.save(ctx, sendCollection, s.Outbound, j)
			}
		}
		r.State = channel.StateDelivered
	case smpp.Expired, smpp.Deleted, smpp.Undeliverable, smpp.Rejected:
		r.State, r.Detail = channel.StateFailed, "the network: "+e.State.String()
		if e.Code != "" && strings.Trim(e.Code, "0") != "" {
			r.Detail += " (error " + e.Code + ")"
		}
		if len(j.Parts) > 1 {
			r.Detail = fmt.Sprintf("part %d of %d: %s", s.Part+1, len(j.Parts), r.Detail)
		}
	default:
		return k.a.save(ctx, sendCollection, s.Outbound, j)
	}
	// Reported first: after a crash in between the SMSC brings it again.
	if err := k.a.deps.Intake.Report(ctx, r); err != nil {
		return err
	}
	return k.a.save(ctx, sendCollection, s.Outbound, j)
}

// hash of a number, however it is written.
func (k *link) hash(number string) string {
	return k.a.deps.Keys.Hash("sms receipt", strings.TrimLeft(number, "+0"))
}
