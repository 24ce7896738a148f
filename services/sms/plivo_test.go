package sms_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/sms"
)

const (
	plivoOld = "MzQ1Njc4OTBhYmNkZWYwMTIzNDU2Nzg5MDEyMzQ1"
	plivoNew = "NTQzMjEwOTg3NjU0MzIxMGZlZGNiYTA5ODc2NTQz"
)

// plivoSigned is signed as "Signature validation V3" says, for addresses whose query has one key.
func plivoSigned(query string, v url.Values, secret string) *http.Request {
	r := hook(http.MethodPost, query, "application/x-www-form-urlencoded", v.Encode())
	base := publicURL + r.URL.Path + "?"
	if query != "" {
		base = publicURL + r.URL.Path + query + "."
	}
	keys := make([]string, 0, len(v))
	for k := range v {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		base += k + v.Get(k)
	}
	r.Header.Set("X-Plivo-Signature-V3-Nonce", "nonce1")
	r.Header.Set("X-Plivo-Signature-V3", base64.StdEncoding.EncodeToString(mac(sha256.New, secret, base+".nonce1")))
	return r
}

func plivoFirm() firm {
	return firm{
		name: "Plivo", counterpart: "; signatures that the vendor's SDK accepts are accepted",
		settings: map[string]string{"provider": "plivo", "account": "MAXXXXXXXXXXXXXXXXXX", "api_key": plivoOld + "\n" + plivoNew},
		secrets:  [2]string{plivoOld, plivoNew},
		without: map[string]string{
			"OldProofIsRefused":  "Plivo signs no time; a request that is sent again has the same MessageUUID and is the same message",
			"ProviderTimeIsKept": "Plivo does not say when a message was sent",
		},
		incoming: func(id, text, secret string, _ time.Time) *http.Request {
			return plivoSigned("", url.Values{"MessageUUID": {id}, "From": {customer[1:]}, "To": {ours[1:]}, "Text": {text}, "Type": {"sms"}, "TotalRate": {"0"}, "TotalAmount": {"0"}, "Units": {"1"}}, secret)
		},
		report: func(state, detail string, sent sentBody) *http.Request {
			u, _ := url.Parse(field(sent.json, "url"))
			v := url.Values{"MessageUUID": {sent.id}, "From": {ours[1:]}, "To": {customer[1:]}, "Status": {state}, "PartInfo": {"1 of 1"}, "ParentMessageUUID": {sent.id}}
			if detail != "" {
				v.Set("ErrorCode", "80")
			}
			return plivoSigned("?"+u.RawQuery, v, plivoOld)
		},
		takes: func(t testing.TB, r *http.Request, body []byte) (string, string) {
			m := decoded(t, body)
			user, pass, _ := r.BasicAuth()
			if r.URL.Path != "/v1/Account/MAXXXXXXXXXXXXXXXXXX/Message/" || user != "MAXXXXXXXXXXXXXXXXXX" || pass != plivoOld || field(m, "src") != ours[1:] {
				t.Errorf("%s %s", r.URL.Path, body)
			}
			return field(m, "text"), "+" + field(m, "dst")
		},
		reply: func(w http.ResponseWriter, n int) {
			answerJSON(w, http.StatusAccepted, map[string]any{"message": "message(s) queued", "message_uuid": []string{fmt.Sprintf("id-%d", n)}, "api_id": "a"})
		},
		fails: func(w http.ResponseWriter) {
			answerJSON(w, http.StatusBadRequest, map[string]any{"api_id": "a", "error": "dst is invalid"})
		},
		failed: "undelivered", detail: "Plivo: the phone cannot be reached (error 80)", refused: "Plivo: dst is invalid",
		states: map[string]channel.State{"queued": "", "sent": channel.StateSent, "delivered": channel.StateDelivered, "rejected": channel.StateFailed},
	}
}

// TestPlivoSignatureOfTheSDK: npm plivo's validateV3Signature accepts these.
func TestPlivoSignatureOfTheSDK(t *testing.T) {
	t.Parallel()
	v := url.Values{"MessageUUID": {"u1"}, "From": {"14155550123"}, "To": {"15005550006"}, "Text": {"hello שלום 👋 a&b"}, "Type": {"sms"}}
	for address, signature := range map[string]string{
		"https://hub.test/hooks/sms/main":                  "xYNwW/tRJdb1D+PrKcz6ccdyMGhsVRKCT2B+911NwOc=",
		"https://hub.test/hooks/sms/main?outbound=reply-1": "UyW/+zp32XCFDM3RHZnQ7dbsgM4vQra/X5mFFCWvvv8=",
	} {
		r := &hosted.Request{Method: http.MethodPost, URL: address, Header: http.Header{}, Body: []byte(v.Encode()), At: time.Now()}
		r.Header.Set("X-Plivo-Signature-V3", "b3RoZXI=, "+signature)
		r.Header.Set("X-Plivo-Signature-V3-Nonce", "nonce1")
		if err := sms.Admit(plivoFirm().settings, r); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		r.Header.Set("X-Plivo-Signature-V3-Nonce", "nonce2")
		if err := sms.Admit(plivoFirm().settings, r); err == nil {
			t.Errorf("%s: another nonce fits, too", address)
		}
	}
}

// TestFakePlivoParts: each part is reported on; the message is delivered with its last part and fails with any.
func TestFakePlivoParts(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	w, _ := plivoFirm().start(t, in)
	part := func(info, state, code string) *http.Request {
		return plivoSigned("?outbound=r", url.Values{"MessageUUID": {"u-" + info}, "ParentMessageUUID": {"u"}, "PartInfo": {info}, "Status": {state}, "ErrorCode": {code}}, plivoOld)
	}
	if err := w.accepted(part("1 of 2", "delivered", "")); err != nil || len(in.Taken()) != 0 {
		t.Errorf("the first part: %v", err)
	}
	for want, r := range map[channel.State]*http.Request{channel.StateDelivered: part("2 of 2", "delivered", ""), channel.StateFailed: part("1 of 2", "failed", "50")} {
		items, err := w.read(in, r)
		if err != nil || items[0].Receipt.State != want || items[0].Receipt.ProviderID != "u" || (want == channel.StateFailed) != strings.HasPrefix(items[0].Receipt.Detail, "part 1 of 2: ") {
			t.Errorf("%s: %+v, %v", want, items, err)
		}
	}
}
