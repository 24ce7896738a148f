package sms_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/sms"
	"github.com/weftline/weftline/services/sms/gsm"
	"github.com/weftline/weftline/services/sms/smpp"
	"github.com/weftline/weftline/services/sms/smpp/smpptest"
)

// smscWorld is the adapter with an SMSC of ours. restart makes a new adapter over the same state.
type smscWorld struct {
	t       testing.TB
	smsc    *smpptest.FakeSMSC
	inboxes *hostedtest.Registry
	state   docstore.Store
	keys    crypt.Keyring
	intake  channel.Intake
	roots   *tls.Config
	now     func() time.Time
	adapter *sms.Adapter
	stop    func()
}

func newSMSC(t testing.TB, intake channel.Intake, settings map[string]string) *smscWorld {
	return newSMSCAt(t, intake, smpptest.Start(t, nil), settings, nil, time.Now)
}

func newSMSCAt(t testing.TB, intake channel.Intake, f *smpptest.FakeSMSC, settings map[string]string, roots *tls.Config, now func() time.Time) *smscWorld {
	with := func(account string) map[string]string {
		s := map[string]string{
			"provider": "smpp", "number": ours, "smpp_address": f.Addr().String(), "smpp_tls": "off",
			"smpp_system_id": account, "smpp_password": smpptest.Login.Password,
		}
		maps.Copy(s, settings)
		return s
	}
	w := &smscWorld{t: t, smsc: f, state: database(t), keys: crypt.NewMemory(), intake: intake, roots: roots, now: now}
	w.inboxes = hostedtest.Inboxes(
		inbox.Inbox{ID: "main", Channel: sms.Name, Name: "Main", Settings: with(smpptest.Login.SystemID)},
		inbox.Inbox{ID: "other", Channel: sms.Name, Name: "Other", Settings: with("other")},
	)
	w.start()
	return w
}

func (w *smscWorld) start() {
	w.adapter = sms.New(hosted.Deps{Intake: w.intake, Inboxes: w.inboxes, State: w.state, Keys: w.keys, Dial: new(net.Dialer).DialContext, Now: w.now})
	w.adapter.Quick(w.roots)
	w.stop = run(w.t, w.adapter)
}

func (w *smscWorld) restart() {
	w.stop()
	w.start()
}

func (w *smscWorld) within() context.Context {
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	w.t.Cleanup(cancel)
	return ctx
}

func (w *smscWorld) send(id, text string) (channel.Receipt, error) {
	return w.sendOut(channel.Outbound{ID: id, Attempt: 1}, text)
}

func (w *smscWorld) sendOut(out channel.Outbound, text string) (channel.Receipt, error) {
	out.Channel, out.Inbox, out.Customer, out.At, out.To, out.Content.Text = sms.Name, "main", "c1", time.Now(), to(customer), text
	s, _ := w.adapter.Sender("main")
	return s.Send(w.within(), out)
}

func said(text string) smpp.Message {
	m := smpp.Message{Source: smpp.Address{TON: 1, NPI: 1, Addr: customer[1:]}, Dest: smpp.Address{TON: 1, NPI: 1, Addr: ours[1:]}}
	if b, ok := gsm.Encode(text); ok {
		m.Short = b
	} else {
		m.DataCoding, m.Short = 8, gsm.EncodeUCS2(text)
	}
	return m
}

// saidInParts is a long text as a phone sends it.
func saidInParts(t testing.TB, text string, ref byte) (list []smpp.Message) {
	parts, err := gsm.Split(text, ref, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		m := said("")
		m.ESMClass, m.Short = smpp.ESMHeader, append(append([]byte(nil), p.Header...), p.Data...)
		if p.Coding == gsm.UCS2 {
			m.DataCoding = 8
		}
		list = append(list, m)
	}
	return list
}

// shown puts what was submitted together, as a phone does.
func shown(sent []smpp.Message) (texts []string) {
	type set struct {
		data []byte
		dc   byte
		left int
	}
	open := map[string]*set{}
	for _, m := range sent {
		data, dc := m.Short, m.DataCoding
		if m.ESMClass&smpp.ESMHeader != 0 {
			c, rest, _ := gsm.ReadHeader(m.Short)
			key := m.Dest.Addr + fmt.Sprint(c.Ref, c.Total)
			if open[key] == nil {
				open[key] = &set{dc: dc, left: int(c.Total)}
			}
			s := open[key]
			s.data = append(s.data, rest...)
			if s.left--; s.left > 0 {
				continue
			}
			data = s.data
			delete(open, key)
		}
		if dc == 8 {
			texts = append(texts, gsm.DecodeUCS2(data))
		} else {
			texts = append(texts, gsm.Decode(data))
		}
	}
	return texts
}

func messages(t testing.TB, a *sms.Adapter, taken []channel.Raw) (list []*channel.Message) {
	t.Helper()
	seen := map[string]bool{}
	for _, r := range taken {
		if seen[r.ProviderID] {
			continue // as the hub does
		}
		seen[r.ProviderID] = true
		items, err := a.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, items[0].Message)
	}
	return list
}

// reports remembers receipts beside what channeltest.Intake does.
type reports struct {
	channeltest.Intake
	mu   sync.Mutex
	list []channel.Receipt
}

func (r *reports) Report(_ context.Context, list ...channel.Receipt) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, list...)
	return nil
}

func (r *reports) all() []channel.Receipt {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]channel.Receipt(nil), r.list...)
}

func TestConformanceSMPP(t *testing.T) {
	t.Parallel()
	const ours = "the connection is made by us with a login; nobody can post to it"
	const noHTTP = "SMPP names no delay: TestFakeSMSCThrottled shows that the inbox waits and no other does"
	channeltest.Run(t, channeltest.Harness{
		Name: "SMS (SMPP)", Counterpart: channeltest.OurFake + " (an SMSC); npm smpp and Kannel in the tests with the build tag rig",
		Without: map[string]string{
			"ForgedIsRefused": ours, "OldProofIsRefused": ours, "TwoSecretsAreLive": "there is one password",
			"ProviderTimeIsKept":         "deliver_sm does not say when a message was sent",
			"RetryAfterIsObeyed":         noHTTP,
			"RefusedTokenNeedsAttention": "the login is refused when binding: TestFakeSMSCRefusedLogin",
			"RevokedTokenIsNoticed":      "a login is refused when binding, which is tried all the time: TestFakeSMSCRefusedLogin",
		},
		New: func(t *testing.T, intake channel.Intake) channeltest.Subject {
			w := newSMSC(t, intake, nil)
			if err := w.smsc.Until(w.within(), func() bool { return w.smsc.Bound() == 2 }); err != nil {
				t.Fatal(err)
			}
			api, shows := w.script()
			return channeltest.Subject{
				Adapter: w.adapter, Health: w.inboxes.Reported, API: api, Shown: shows,
				Deliver: func(ctx context.Context, id, text string) error {
					m := said(text)
					m.Optional = []smpp.Optional{{Tag: smpp.TagReceiptedID, Value: []byte(id)}}
					return w.smsc.Deliver(ctx, m)
				},
			}
		},
		Outbound: func(channeltest.Subject) channel.Outbound {
			return channel.Outbound{Inbox: "main", Customer: "c1", At: time.Now(), To: to(customer)}
		},
	})
}

// script lets submit_sm fail as a script for HTTP says.
func (w *smscWorld) script() (*channeltest.API, func() []string) {
	var mu sync.Mutex
	var next []channeltest.Answer
	var calls atomic.Int32
	var took []smpp.Message
	w.smsc.Judge(func(_ int, m smpp.Message) (v smpptest.Verdict) {
		mu.Lock()
		defer mu.Unlock()
		calls.Add(1)
		if len(next) > 0 {
			switch a := next[0]; {
			case a.Lost:
				v.Hangup = true
			case a.Status == http.StatusServiceUnavailable:
				v.Status = smpp.SystemError
			case a.Status == http.StatusBadRequest:
				v.Status = smpp.InvalidDest
			}
			next = next[1:]
		}
		if v.Status == smpp.OK {
			took = append(took, m)
		}
		return v
	})
	return &channeltest.API{
		Other: "other", Calls: func() int { return int(calls.Load()) },
		Script: func(list ...channeltest.Answer) {
			mu.Lock()
			defer mu.Unlock()
			next = append(next, list...)
		},
	}, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return shown(took)
	}
}
