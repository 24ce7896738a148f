package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/hub/hubtest"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// shop is a hub whose inbox verifies senders, with its mailbox, its SMTP
// server and a DNS in which ada's victim.test, the shop's own domain and Mallory's evil.test
// have keys and policies.
type shop struct {
	*world
	t   *testing.T
	log string
}

var mailKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func mailZone(t *testing.T) hubtest.Zone {
	der, err := x509.MarshalPKIXPublicKey(mailKey().Public())
	if err != nil {
		t.Fatal(err)
	}
	z := hubtest.Zone{}
	for _, d := range []string{"victim.test", "shop.test", "evil.test", "slack.test"} {
		z["_dmarc."+d] = []string{"v=DMARC1; p=reject"}
		z["k._domainkey."+d] = []string{"v=DKIM1; p=" + base64.StdEncoding.EncodeToString(der)}
	}
	return z
}

// newShop starts a hub whose inbox has the settings beside those of its servers.
func newShop(t *testing.T, settings map[string]string) *shop {
	t.Helper()
	return newShopWith(t, settings, nil)
}

// newShopWith starts it with more configuration.
func newShopWith(t *testing.T, settings map[string]string, more map[string]any) *shop {
	t.Helper()
	s := &shop{t: t, world: &world{dir: t.TempDir(), callers: map[string]*hubtest.Caller{}}}
	s.log = filepath.Join(s.dir, "hub.log")
	var err error
	if s.box, err = hubtest.NewMailbox(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.box.Close)
	if s.sink, err = hubtest.NewSink(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.sink.Close)
	inbox := s.box.Settings(s.sink)
	maps.Copy(inbox, settings)
	maps.DeleteFunc(inbox, func(_, v string) bool { return v == "" }) // a story may take a setting away
	whole := map[string]any{                                          // which is YAML
		"listen": "127.0.0.1:0", "data": filepath.Join(s.dir, "data"), "demo": "off",
		"owner": map[string]string{"email": ownerEmail, "password": ownerPassword, "name": "Olga Owner"},
		"inboxes": []map[string]any{
			{"id": "support", "channel": "email", "name": "Shop Support", "settings": inbox},
			{"id": "shop", "channel": "chat", "name": "Shop", "settings": map[string]string{"identity": "optional"}},
		},
	}
	maps.Copy(whole, more)
	cfg, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	path, dns := filepath.Join(s.dir, "hub.yaml"), filepath.Join(s.dir, "dns.json")
	if err := errors.Join(os.WriteFile(path, cfg, 0o600), mailZone(t).Write(dns)); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(s.dir, "hub") // the test binary is a hub under that name, see TestMain
	log, err := os.Create(s.log)
	if err := errors.Join(err, os.Symlink(exe, bin)); err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	env := append(os.Environ(), "WEFTLINE_TEST_IMPATIENT=1", "WEFTLINE_TEST_DNS="+dns)
	if s.hub, err = hubtest.Launch(bin, []string{"serve", "-config", path}, env, log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.hub.Kill)
	ctx, cancel := within()
	defer cancel()
	if s.url, err = s.hub.Ready(ctx); err != nil {
		s.fatalf("start: %v", err)
	}
	token := exec.Command(bin, "token", "create", "-config", path, "-name", "story")
	token.Env = env
	out, err := token.Output()
	if err != nil {
		s.fatalf("make a token: %v", err)
	}
	s.callers[""] = hubtest.NewCaller(strings.TrimSpace(string(out)))
	return s
}

// fatalf ends the test with what the hub complained of last.
func (s *shop) fatalf(format string, args ...any) {
	s.t.Helper()
	b, _ := os.ReadFile(s.log)
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	s.t.Fatalf(format+"\nhub.log:\n%s", append(args, strings.Join(lines[max(0, len(lines)-15):], "\n"))...)
}

// mails are written with LF. From and how it came are on top; the rest follows.
const viaMX = "Received: from out.evil.test (out.evil.test [203.0.113.66])\n\tby mx.shop.test (Postfix) with ESMTPS id 1; Fri, 27 Nov 2026 06:00:00 +0000\n"

// signed signs a mail for a domain, as its own server does.
func (s *shop) signed(domain, mail string) string {
	s.t.Helper()
	var b bytes.Buffer
	err := dkim.Sign(&b, strings.NewReader(strings.ReplaceAll(mail, "\n", "\r\n")), &dkim.SignOptions{
		Domain: domain, Selector: "k", Signer: mailKey(), HeaderKeys: []string{"From", "To", "Subject", "In-Reply-To"},
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return b.String()
}

// deliver puts mails into the mailbox as the shop's mail server took them from the internet.
func (s *shop) deliver(mails ...string) {
	s.t.Helper()
	for _, m := range mails {
		if err := s.box.Deliver([]byte(viaMX + m)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// who finds the customer of an address, or the other one, who wrote in its name and was refuted.
func (s *shop) who(ctx context.Context, address string, refuted bool) (string, error) {
	body, err := json.Marshal(map[string]any{"handle": map[string]string{"kind": "email", "address": address}})
	if err != nil {
		return "", err
	}
	var found inboxv1.FindCustomerResponse
	err = s.ask(ctx, "FindCustomer", body, &found)
	if !refuted {
		return found.GetCustomer().GetId(), err
	}
	if refused, ok := errors.AsType[*hubtest.CallError](err); err != nil && (!ok || refused.Code != "not_found") {
		return "", err
	}
	var list inboxv1.ListConversationsResponse
	if err := s.ask(ctx, "ListConversations", []byte(`{"pageSize":200}`), &list); err != nil {
		return "", err
	}
	for _, c := range list.GetConversations() {
		id := c.GetCustomerId()
		if id == found.GetCustomer().GetId() {
			continue
		}
		t, err := s.readTimeline(ctx, id)
		if err != nil {
			return "", err
		}
		for _, h := range t.GetCustomer().GetHandles() {
			if h.GetKind() == "email" && h.GetAddress() == address {
				return id, nil
			}
		}
	}
	return "", fmt.Errorf("nobody was refuted %s", address)
}

func (s *shop) ask(ctx context.Context, method string, body []byte, into proto.Message) error {
	answer, err := s.callers[""].Call(ctx, s.url, method, body)
	if err != nil {
		return err
	}
	return protojson.Unmarshal(answer, into)
}

// sees waits until the timeline of an address reads so.
func (s *shop) sees(address string, refuted bool, want ...string) *inboxv1.GetTimelineResponse {
	s.t.Helper()
	ctx, cancel := within()
	defer cancel()
	have := ""
	for {
		id, err := s.who(ctx, address, refuted)
		if err == nil {
			var t *inboxv1.GetTimelineResponse
			if t, err = s.readTimeline(ctx, id); err == nil {
				if have = render(t); have == strings.Join(want, "\n")+"\n" {
					return t
				}
			}
		}
		if err != nil && ctx.Err() == nil {
			have = err.Error()
		}
		select {
		case <-time.After(40 * time.Millisecond):
		case <-ctx.Done():
			s.fatalf("timeline of %s (refuted: %v):\n%s\nwanted:\n%s", address, refuted, have, strings.Join(want, "\n"))
		}
	}
}

// nobody: the address belongs to no customer.
func (s *shop) nobody(address string, refuted bool) {
	s.t.Helper()
	ctx, cancel := within()
	defer cancel()
	if id, err := s.who(ctx, address, refuted); err == nil {
		s.fatalf("%s became customer %s (refuted: %v)", address, id, refuted)
	}
}

// conversations is how many there are.
func (s *shop) conversations(want int) {
	s.t.Helper()
	ctx, cancel := within()
	defer cancel()
	var list inboxv1.ListConversationsResponse
	if err := s.ask(ctx, "ListConversations", []byte(`{}`), &list); err != nil {
		s.t.Fatal(err)
	}
	if n := len(list.GetConversations()); n != want {
		s.fatalf("%d conversations, wanted %d", n, want)
	}
}

// reply answers a conversation; more is further JSON.
func (s *shop) reply(conversation, text, more string) error {
	ctx, cancel := within()
	defer cancel()
	_, err := s.callers[""].Call(ctx, s.url, "SendReply", keyed("SendReply", fmt.Sprintf(`{"conversationId":%q,"text":%q%s}`, conversation, text, more)))
	return err
}

// sentOnlyTo waits for the mails and checks who got them.
func (s *shop) sentOnlyTo(recipients ...string) []hubtest.Sent {
	s.t.Helper()
	ctx, cancel := within()
	defer cancel()
	mails, err := s.sink.Wait(ctx, len(recipients))
	if err != nil {
		s.fatalf("%v", err)
	}
	var have []string
	for _, m := range mails {
		have = append(have, strings.Join(m.To, ","))
		for _, bad := range []string{"evil.test", "mallory"} {
			if bytes.Contains(bytes.ToLower(m.Raw), []byte(bad)) && !strings.Contains(strings.Join(recipients, ","), bad) {
				s.fatalf("a mail of ours names %s:\n%s", bad, m.Raw)
			}
		}
	}
	if !slices.Equal(have, recipients) {
		s.fatalf("mails went to %v, wanted %v", have, recipients)
	}
	return mails
}

// answered is how every story begins: ada writes, proves it by her domain's
// signature, and is told a secret. It returns her conversation and the Message-ID of the answer.
func (s *shop) answered() (conversation, id string) {
	s.t.Helper()
	s.deliver(s.signed("victim.test", adasMail))
	t := s.sees("ada@victim.test", false, adaAsks)
	conversation = t.GetConversations()[0].GetId()
	if err := s.reply(conversation, "Your code is 4711.", ""); err != nil {
		s.t.Fatal(err)
	}
	mails := s.sentOnlyTo("ada@victim.test")
	s.sees("ada@victim.test", false, adaAsks, adaIsTold)
	return conversation, mails[0].MessageID()
}

const (
	adasMail  = "From: Ada <ada@victim.test>\nTo: support@shop.test\nSubject: Login\nMessage-ID: <1@victim.test>\n\nI cannot log in.\n"
	adaAsks   = "1 email Ada: I cannot log in."
	adaIsTold = "1 email < Your code is 4711. (sent)"
)

var (
	checksItself   = map[string]string{"verify": "own", "mx_host": "mx.shop.test"}
	believesServer = map[string]string{"verify": "authserv", "authserv_id": "mx.shop.test", "mx_host": "mx.shop.test"}
)
