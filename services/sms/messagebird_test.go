package sms_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/sms"
)

const (
	birdOld = "PlLrKaqvZNRR5zAjm42ZT6q1SQxgbbGd"
	birdNew = "a-new-signing-key-of-32-bytes-ok"
)

// birdSigned has the claims of "Verify HTTP requests".
func birdSigned(r *http.Request, body, secret string, at time.Time) *http.Request {
	claims := jwt.MapClaims{
		"iss": "MessageBird", "jti": "d1", "iat": at.Unix(), "nbf": at.Unix(), "exp": at.Add(time.Minute).Unix(), "url_hash": hexHash(publicURL + r.URL.RequestURI()),
	}
	if body != "" {
		claims["payload_hash"] = hexHash(body)
	}
	r.Header.Set("MessageBird-Signature-JWT", token(secret, claims))
	return r
}

func messagebirdFirm() firm {
	return firm{
		name: "MessageBird", counterpart: "; a token that the vendor's SDK accepts is accepted",
		settings: map[string]string{"provider": "messagebird", "api_key": "live_0123456789", "signing_key": birdOld + "\n" + birdNew},
		secrets:  [2]string{birdOld, birdNew},
		incoming: func(id, text, secret string, at time.Time) *http.Request {
			signed := at
			if at.After(time.Now().Add(-48*time.Hour)) && at.Before(time.Now().Add(-2*time.Hour)) {
				signed = time.Now()
			}
			body := url.Values{"id": {id}, "recipient": {ours[1:]}, "originator": {customer[1:]}, "body": {text}, "createdDatetime": {at.UTC().Format(time.RFC3339)}}.Encode()
			return birdSigned(hook(http.MethodPost, "", "application/x-www-form-urlencoded", body), body, secret, signed)
		},
		report: func(state, detail string, sent sentBody) *http.Request {
			v := url.Values{
				"id": {sent.id}, "reference": {field(sent.json, "reference")}, "recipient": {customer[1:]}, "status": {state}, "statusDatetime": {time.Now().UTC().Format(time.RFC3339)},
			}
			if detail != "" {
				v.Set("statusErrorCode", "104")
				v.Set("statusReason", "carrier rejected")
			}
			return birdSigned(hook(http.MethodGet, "?"+v.Encode(), "", ""), "", birdNew, time.Now())
		},
		takes: func(t testing.TB, r *http.Request, body []byte) (string, string) {
			m := decoded(t, body)
			if r.URL.Path != "/messages" || r.Header.Get("Authorization") != "AccessKey live_0123456789" || field(m, "originator") != ours[1:] || field(m, "datacoding") != "auto" {
				t.Errorf("%s %s", r.URL.Path, body)
			}
			return field(m, "body"), fmt.Sprint("+", m["recipients"].([]any)[0])
		},
		reply: func(w http.ResponseWriter, n int) {
			answerJSON(w, http.StatusCreated, map[string]any{"id": fmt.Sprintf("id-%d", n), "direction": "mt", "type": "sms"})
		},
		fails: func(w http.ResponseWriter) {
			answerJSON(w, http.StatusUnprocessableEntity, map[string]any{"errors": []any{map[string]any{"code": 9, "description": "no (correct) recipients found", "parameter": "recipients"}}})
		},
		failed: "delivery_failed", detail: "MessageBird: carrier rejected (error 104)", refused: "MessageBird: no (correct) recipients found (error 9)",
		states: map[string]channel.State{
			"scheduled": "", "buffered": "", "sent": channel.StateSent, "delivered": channel.StateDelivered, "expired": channel.StateFailed,
		},
	}
}

// TestMessageBirdTokenOfTheSDK was made with npm jose and accepted by npm messagebird's webhook-signature-jwt.
func TestMessageBirdTokenOfTheSDK(t *testing.T) {
	t.Parallel()
	const jwt = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1cmxfaGFzaCI6IjM3ZDg1YWE4YjQ0YTgwMjcwNzQwZTI4MGFjMjI3YzliZjhkZjIxYjJjZTEwMThiNTE1ZTc3ZTU1Y2I3M2YzMzQiLCJqdGkiOiJqMSIsImlzcyI6Ik1lc3NhZ2VCaXJkIiwiaWF0IjoxNzY3MjI1NjAwLCJuYmYiOjE3NjcyMjU2MDAsImV4cCI6NDkyMDgyNTYwMH0.twwcyv6KmBQ5-TxdbaqfsLECb_hly-I4iNmQKn7Wszs"
	const address = "https://hub.test/hooks/sms/main?id=m1&reference=reply-1&status=delivered&statusDatetime=2026-01-01T00%3A00%3A00%2B00%3A00&recipient=14155550123"
	r := &hosted.Request{Method: http.MethodGet, URL: address, Header: http.Header{}, At: time.Unix(1767225600+60, 0)}
	r.Header.Set("MessageBird-Signature-JWT", jwt)
	if err := sms.Admit(messagebirdFirm().settings, r); err != nil {
		t.Error(err)
	}
	r.URL += "0"
	if err := sms.Admit(messagebirdFirm().settings, r); err == nil {
		t.Error("another address fits, too")
	}
}
