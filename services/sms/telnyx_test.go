package sms_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

var telnyxSeeds = [2]string{
	base64.StdEncoding.EncodeToString([]byte("an old seed of 32 bytes for test")), base64.StdEncoding.EncodeToString([]byte("a new seed of 32 bytes for tests")),
}

func telnyxKey(seed string) ed25519.PrivateKey {
	b, _ := base64.StdEncoding.DecodeString(seed)
	return ed25519.NewKeyFromSeed(b)
}

func telnyxPublic(seed string) string {
	return base64.StdEncoding.EncodeToString(telnyxKey(seed).Public().(ed25519.PublicKey))
}

// telnyxSigned is a request as "Receiving webhooks" describes it.
func telnyxSigned(event any, seed string, at time.Time) *http.Request {
	body := jsonBody(map[string]any{"data": event, "meta": map[string]any{"attempt": 1, "delivered_to": publicURL}})
	r := hook(http.MethodPost, "", "application/json", body)
	stamp := fmt.Sprint(at.Unix())
	r.Header.Set("telnyx-timestamp", stamp)
	r.Header.Set("telnyx-signature-ed25519", base64.StdEncoding.EncodeToString(ed25519.Sign(telnyxKey(seed), []byte(stamp+"|"+body))))
	return r
}

func telnyxFirm() firm {
	now := func(kind string, at time.Time, payload map[string]any) map[string]any {
		return map[string]any{"record_type": "event", "id": "e-" + kind, "event_type": kind, "occurred_at": at.UTC().Format("2006-01-02T15:04:05.000Z"), "payload": payload}
	}
	return firm{
		name: "Telnyx", counterpart: "; signed with ed25519 over the documented string",
		settings: map[string]string{"provider": "telnyx", "api_key": "KEY0123456789", "signing_key": telnyxPublic(telnyxSeeds[0]) + "\n" + telnyxPublic(telnyxSeeds[1])},
		secrets:  telnyxSeeds,
		incoming: func(id, text, seed string, at time.Time) *http.Request {
			signed := at
			if at.After(time.Now().Add(-48*time.Hour)) && at.Before(time.Now().Add(-2*time.Hour)) { // said long ago, posted now
				signed = time.Now()
			}
			return telnyxSigned(now("message.received", signed, map[string]any{
				"record_type": "message", "direction": "inbound", "id": id, "type": "SMS", "text": text, "received_at": at.UTC().Format(time.RFC3339),
				"from": map[string]any{"phone_number": customer, "carrier": "T-Mobile USA", "line_type": "Wireless"},
				"to":   []any{map[string]any{"phone_number": ours, "status": "webhook_delivered"}}, "media": []any{}, "errors": []any{}, "tags": []any{}, "parts": 1, "encoding": "GSM-7",
			}), seed, signed)
		},
		report: func(state, detail string, sent sentBody) *http.Request {
			p := map[string]any{"id": sent.id, "direction": "outbound", "to": []any{map[string]any{"phone_number": customer, "status": state}}, "tags": sent.json["tags"], "errors": []any{}}
			if detail != "" {
				p["errors"] = []any{map[string]any{"code": "40008", "title": "Undeliverable", "detail": "The recipient server indicated that the message is undeliverable."}}
			}
			return telnyxSigned(now("message.finalized", time.Now(), p), telnyxSeeds[0], time.Now())
		},
		takes: func(t testing.TB, r *http.Request, body []byte) (string, string) {
			m := decoded(t, body)
			if r.URL.Path != "/v2/messages" || r.Header.Get("Authorization") != "Bearer KEY0123456789" || field(m, "from") != ours || field(m, "webhook_url") != publicURL+"/hooks/sms/main" && !strings.Contains(field(m, "webhook_url"), "/other") {
				t.Errorf("%s %s", r.URL.Path, body)
			}
			return field(m, "text"), field(m, "to")
		},
		reply: func(w http.ResponseWriter, n int) {
			answerJSON(w, http.StatusOK, map[string]any{"data": map[string]any{"record_type": "message", "id": fmt.Sprintf("id-%d", n), "parts": 1}})
		},
		fails: func(w http.ResponseWriter) {
			answerJSON(w, http.StatusUnprocessableEntity, map[string]any{"errors": []any{map[string]any{"code": "40310", "title": "Invalid 'to' address", "detail": "The 'to' address is invalid."}}})
		},
		failed: "delivery_failed", detail: "Telnyx: The recipient server indicated that the message is undeliverable. (error 40008)",
		refused: "Telnyx: The 'to' address is invalid. (error 40310)",
		states: map[string]channel.State{
			"queued": "", "sent": channel.StateSent, "delivered": channel.StateDelivered, "delivery_unconfirmed": channel.StateSent, "sending_failed": channel.StateFailed,
		},
	}
}
