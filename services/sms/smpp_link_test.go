package sms_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/internal/safedial"
	"github.com/weftline/weftline/services/sms"
	"github.com/weftline/weftline/services/sms/smpp"
	"github.com/weftline/weftline/services/sms/smpp/smpptest"
)

// TestFakeSMSCRebind: the link comes back by itself after the SMSC unbinds, breaks and refuses.
func TestFakeSMSCRebind(t *testing.T) {
	t.Parallel()
	w := newSMSC(t, &reports{}, nil)
	for i, end := range []func(){
		func() {
			if err := w.smsc.Unbind(w.within()); err != nil {
				t.Error(err)
			}
		},
		w.smsc.Kick,
	} {
		if err := w.smsc.Until(w.within(), func() bool { return w.smsc.Bound() == 2 }); err != nil {
			t.Fatal(err)
		}
		end()
		if r, err := w.send(fmt.Sprint("out", i), "after"); err != nil || r.State != channel.StateSent {
			// The send may have met the end itself: then nothing went out, or it is not known.
			if err != nil && !errors.Is(err, smpp.ErrNotSent) || err == nil && r.State != channel.StateUnknown {
				t.Errorf("%+v, %v", r, err)
			}
		}
	}
	if err := w.smsc.Until(w.within(), func() bool { return w.smsc.Bound() == 2 }); err != nil {
		t.Fatal(err)
	}
	for w.inboxes.Health("main").State != "ok" { // said a moment after the bind
		select {
		case <-time.After(5 * time.Millisecond):
		case <-w.within().Done():
			t.Fatalf("%+v", w.inboxes.Health("main"))
		}
	}
}

func TestFakeSMSCRefusedLogin(t *testing.T) {
	t.Parallel()
	w := newSMSC(t, &reports{}, map[string]string{"smpp_password": "wrong"})
	_, err := w.send("r", "hello")
	if !errors.Is(err, channel.ErrNeedsAttention) || strings.Contains(err.Error(), "wrong\"") {
		t.Fatalf("%v", err)
	}
	w.inboxes.Set("main", "smpp_password", smpptest.Login.Password) // without a restart
	if err := w.smsc.Until(w.within(), func() bool { return w.smsc.Bound() == 1 }); err != nil {
		t.Fatal(err)
	}
	if r, err := w.send("r", "hello"); err != nil || r.State != channel.StateSent {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestFakeSMSCTwoBinds(t *testing.T) {
	t.Parallel()
	in := &reports{}
	w := newSMSC(t, in, map[string]string{"smpp_bind": "transmitter+receiver"})
	if err := w.smsc.Until(w.within(), func() bool { return w.smsc.Bound() == 4 }); err != nil {
		t.Fatal(err)
	}
	if r, err := w.send("r", "hello"); err != nil || r.State != channel.StateSent {
		t.Errorf("%+v, %v", r, err)
	}
	if err := w.smsc.Deliver(w.within(), said("hello")); err != nil || len(in.Taken()) != 1 {
		t.Errorf("%v", err)
	}
}

// TestFakeSMSCInsideIsNotReached: settings cannot point the hub at its own network, neither for a live test nor for good.
func TestFakeSMSCInsideIsNotReached(t *testing.T) {
	t.Parallel()
	f := smpptest.Start(t, nil)
	_, port, err := net.SplitHostPort(f.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		in := inbox.Inbox{ID: "inside", Channel: sms.Name, Name: "Inside", Settings: map[string]string{
			"provider": "smpp", "number": ours, "smpp_address": net.JoinHostPort(host, port), "smpp_tls": "off",
			"smpp_system_id": smpptest.Login.SystemID, "smpp_password": smpptest.Login.Password,
		}}
		if err := sms.Channel(nil, nil).Test(t.Context(), in); !errors.Is(err, safedial.ErrPrivate) || !strings.Contains(err.Error(), "outgoing.allow") {
			t.Errorf("the live test: %v", err)
		}
		inboxes := hostedtest.Inboxes(in)
		a := sms.New(hosted.Deps{Intake: &channeltest.Intake{}, Inboxes: inboxes, State: database(t), Keys: crypt.NewMemory()})
		stop := run(t, a)
		for deadline := time.After(time.Minute); !strings.Contains(inboxes.Health("inside").Detail, "outgoing.allow"); {
			select {
			case <-deadline:
				t.Fatalf("health is %+v", inboxes.Health("inside"))
			case <-time.After(10 * time.Millisecond):
			}
		}
		stop()
		allowed := sms.Channel(nil, safedial.Dial(safedial.Config{Also: func(a netip.AddrPort) bool { return a.Addr().Unmap().IsLoopback() }}))
		if err := allowed.Test(t.Context(), in); err != nil {
			t.Errorf("where it is allowed: %v", err)
		}
	}
}

func TestFakeSMSCOverTLS(t *testing.T) {
	t.Parallel()
	cert, roots := certificate(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	f := smpptest.Start(t, l)
	on := map[string]string{"smpp_tls": "on"}
	w := newSMSCAt(t, &channeltest.Intake{}, f, on, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, time.Now)
	if r, err := w.send("r", "hello"); err != nil || r.State != channel.StateSent {
		t.Errorf("%+v, %v", r, err)
	}
	w.stop()
	strange := newSMSCAt(t, &channeltest.Intake{}, f, on, &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}, time.Now)
	if _, err := strange.send("r", "hello"); !errors.Is(err, smpp.ErrNotSent) {
		t.Errorf("a certificate nobody knows: %v", err)
	}
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
