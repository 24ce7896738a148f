package sms_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/sms"
)

// carries is what a provider's documentation says of a message with files.
type carries struct {
	settings map[string]string
	path     string
	// media are the addresses in a request; it fails where something else of it is wrong.
	media func(t testing.TB, body []byte) []string
	reply string
	most  int // files
	each  int64
	kinds int // of files
}

func addresses(v any) (list []string) {
	for _, one := range v.([]any) {
		list = append(list, one.(string))
	}
	return list
}

func mmsProviders() map[string]carries {
	const many = 10
	return map[string]carries{
		"twilio": {
			map[string]string{"account": twilioSID, "api_key": twilioOld},
			"/2010-04-01/Accounts/" + twilioSID + "/Messages.json",
			func(t testing.TB, body []byte) []string {
				v, err := url.ParseQuery(string(body))
				if err != nil || v.Get("Body") != "Look" {
					t.Errorf("%s", body)
				}
				return v["MediaUrl"]
			}, `{"sid":"MM1"}`, many, 5 << 20, 10,
		},
		"telnyx": {
			telnyxFirm().settings, "/v2/messages",
			func(t testing.TB, body []byte) []string {
				m := decoded(t, body)
				if field(m, "type") != "MMS" || field(m, "text") != "Look" {
					t.Errorf("%s", body)
				}
				return addresses(m["media_urls"])
			}, `{"data":{"id":"1"}}`, many, 1 << 20, 9,
		},
		"messagebird": {
			messagebirdFirm().settings, "/mms",
			func(t testing.TB, body []byte) []string {
				m := decoded(t, body)
				if field(m, "body") != "Look" || field(m, "reference") == "" || m["reportUrl"] != nil || m["datacoding"] != nil {
					t.Errorf("%s", body)
				}
				return addresses(m["mediaUrls"])
			}, `{"id":"1"}`, many, 1 << 20, 9,
		},
		"plivo": {
			plivoFirm().settings, "/v1/Account/MAXXXXXXXXXXXXXXXXXX/Message/",
			func(t testing.TB, body []byte) []string {
				m := decoded(t, body)
				if field(m, "type") != "mms" || field(m, "text") != "Look" {
					t.Errorf("%s", body)
				}
				return addresses(m["media_urls"])
			}, `{"message_uuid":["1"]}`, many, 2 << 20, 10,
		},
		"vonage": {
			vonageFirm().settings, "/v1/messages",
			func(t testing.TB, body []byte) []string {
				m := decoded(t, body)
				image, _ := m["image"].(map[string]any)
				if field(m, "channel") != "mms" || field(m, "message_type") != "image" || field(image, "caption") != "Look" || m["text"] != nil {
					t.Errorf("%s", body)
				}
				return []string{field(image, "url")}
			}, `{"message_uuid":"1"}`, 1, 600 << 10, 6,
		},
	}
}

// TestFakeFilesGoOut: each provider is given addresses, and fetches the files from there.
func TestFakeFilesGoOut(t *testing.T) {
	t.Parallel()
	for name, c := range mmsProviders() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var fetched []string
			var w *world
			p := &hostedtest.Provider{Sends: func(r *http.Request) bool { return r.Method == http.MethodPost }}
			p.Serve = func(rw http.ResponseWriter, r *http.Request, body []byte) {
				if r.URL.Path != c.path {
					t.Errorf("called %s", r.URL.Path)
				}
				for _, address := range c.media(t, body) {
					path, ours := strings.CutPrefix(address, publicURL)
					got := httptest.NewRecorder()
					w.mux.ServeHTTP(got, httptest.NewRequest(http.MethodGet, path, nil))
					if !ours || got.Code != http.StatusOK {
						t.Errorf("%s: %d", address, got.Code)
					}
					mu.Lock()
					fetched = append(fetched, got.Header().Get("Content-Type")+" "+got.Body.String())
					mu.Unlock()
				}
				fmt.Fprint(rw, c.reply)
			}
			c.settings["provider"] = name
			w = newWorld(t, &channeltest.Intake{}, p, c.settings)
			can := w.adapter.CapabilitiesOf("main")
			if !can.Attachments || can.AttachmentsPerMessage != c.most || can.AttachmentLimit != c.each || len(can.AttachmentTypes) != c.kinds {
				t.Errorf("it says that it can %+v", can)
			}
			picture := w.keep("a picture")
			out := channel.Outbound{ID: "r1", Channel: sms.Name, Inbox: "main", At: time.Now(), To: to(customer), Content: channel.Content{Text: "Look", Attachments: []channel.Attachment{picture}}, Attempt: 1}
			if r, err := w.sender().Send(t.Context(), out); err != nil || r.State != channel.StateSent {
				t.Fatalf("%+v, %v", r, err)
			}
			if len(fetched) != 1 || fetched[0] != "image/png a picture" {
				t.Errorf("fetched %q", fetched)
			}
			calls := w.API("").Calls()
			for problem, files := range map[string][]channel.Attachment{
				fmt.Sprintf("attachments: must be at most %d by %s, are %d", c.most, name, c.most+1):            repeat(picture, c.most+1),
				fmt.Sprintf("attachments[0]: must have at most %d bytes by %s, has %d", c.each, name, c.each+1): {{Name: "big.png", ContentType: "image/png", Blob: picture.Blob, Size: c.each + 1}},
				"attachments[0]: must be one of image/jpeg, ":                                                   {{Name: "x.exe", ContentType: "application/octet-stream", Blob: picture.Blob, Size: 1}},
			} {
				out.ID, out.Content.Attachments = "r2", files
				if r, err := w.sender().Send(t.Context(), out); err != nil || r.State != channel.StateFailed || !strings.HasPrefix(r.Detail, problem) {
					t.Errorf("want %q: %+v, %v", problem, r, err)
				}
			}
			if w.API("").Calls() != calls {
				t.Error("what is refused was sent without its files")
			}
		})
	}
}

func repeat(a channel.Attachment, n int) (list []channel.Attachment) {
	for range n {
		list = append(list, a)
	}
	return list
}

func (w *world) keep(data string) channel.Attachment {
	key, size, err := w.blobs.Put(w.t.Context(), "k", strings.NewReader(data), 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	return channel.Attachment{Name: "a.png", ContentType: "image/png", Size: size, Blob: key}
}

// TestNoFilesWhereNobodyCanFetchThem: the composer is told, and what is sent past it is refused.
func TestNoFilesWhereNobodyCanFetchThem(t *testing.T) {
	t.Parallel()
	with := func(more map[string]string) map[string]string {
		s := map[string]string{"provider": "twilio", "account": twilioSID, "api_key": twilioOld, "number": ours}
		for k, v := range more {
			s[k] = v
		}
		return s
	}
	inboxes := hostedtest.Inboxes(
		inbox.Inbox{ID: "number", Channel: sms.Name, Settings: with(nil)},
		inbox.Inbox{ID: "service", Channel: sms.Name, Settings: with(map[string]string{"number": "MG00000000000000000000000000000001"})},
		inbox.Inbox{ID: "name", Channel: sms.Name, Settings: with(map[string]string{"number": "SHOP"})},
		inbox.Inbox{ID: "smpp", Channel: sms.Name, Settings: map[string]string{"provider": "smpp", "number": ours, "smpp_address": "127.0.0.1:1", "smpp_system_id": "x", "smpp_password": "y"}},
	)
	blobs := newWorld(t, &channeltest.Intake{}, newFakeTwilioProvider(t), with(nil)).blobs
	for _, public := range []string{"https://hub.test", "http://hub.test", ""} {
		a := sms.New(hosted.Deps{Intake: &channeltest.Intake{}, Inboxes: inboxes, Client: http.DefaultClient, PublicURL: public, Blobs: blobs, Keys: crypt.NewMemory()})
		for id, want := range map[string]bool{"number": true, "service": true, "name": false, "smpp": false, "gone": false} {
			if can := a.CapabilitiesOf(id); can.Attachments != (want && public == "https://hub.test") || can.TextLimit != a.Capabilities().TextLimit {
				t.Errorf("%q, %s: %+v", public, id, can)
			}
			if want && public == "https://hub.test" || id == "gone" {
				continue
			}
			r, err := a.Send(t.Context(), channel.Outbound{
				ID: "r1", Channel: sms.Name, Inbox: id, To: to(customer), Attempt: 1,
				Content: channel.Content{Text: "Look", Attachments: []channel.Attachment{{ContentType: "image/png", Size: 1, Blob: "b"}}},
			})
			if err != nil || r.State != channel.StateFailed || !strings.HasPrefix(r.Detail, "attachments: must be empty") {
				t.Errorf("%q, %s: %+v, %v", public, id, r, err)
			}
		}
	}
}

func newFakeTwilioProvider(t testing.TB) *hostedtest.Provider { return &newFakeTwilio(t).Provider }
