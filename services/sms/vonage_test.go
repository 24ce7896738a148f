package sms_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/weftline/weftline/pkg/channel"
)

func hexHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func token(secret string, claims jwt.MapClaims) string {
	s, _ := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	return s
}

// vonageSigned has the claims of "Signed webhooks".
func vonageSigned(event any, secret string, at time.Time) *http.Request {
	body := jsonBody(event)
	r := hook(http.MethodPost, "", "application/json", body)
	r.Header.Set("Authorization", "Bearer "+token(secret, jwt.MapClaims{
		"iat": at.Unix(), "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5", "iss": "Vonage", "payload_hash": hexHash(body), "api_key": "abcd1234", "application_id": "aaaaaaaa-bbbb",
	}))
	return r
}

func vonageFirm() firm {
	return firm{
		name: "Vonage", counterpart: "; the token is made by a JWT library",
		settings: map[string]string{"provider": "vonage", "account": "abcd1234", "api_key": "apisecret123", "signing_key": "an-old-signature-secret-0123 a-new-signature-secret-0123"},
		secrets:  [2]string{"an-old-signature-secret-0123", "a-new-signature-secret-0123"},
		incoming: func(id, text, secret string, at time.Time) *http.Request {
			signed := at
			if at.After(time.Now().Add(-48*time.Hour)) && at.Before(time.Now().Add(-2*time.Hour)) {
				signed = time.Now()
			}
			return vonageSigned(map[string]any{
				"to": ours[1:], "from": customer[1:], "channel": "sms", "message_uuid": id, "timestamp": at.UTC().Format("2006-01-02T15:04:05.000Z"),
				"usage": map[string]any{"price": "0.0333", "currency": "EUR"}, "message_type": "text", "text": text,
				"sms": map[string]any{"num_messages": "1", "keyword": "HELLO"},
			}, secret, signed)
		},
		report: func(state, detail string, sent sentBody) *http.Request {
			e := map[string]any{
				"message_uuid": sent.id, "to": customer[1:], "from": ours[1:], "timestamp": time.Now().UTC().Format(time.RFC3339), "status": state,
				"client_ref": sent.json["client_ref"], "channel": "sms",
			}
			if detail != "" {
				e["error"] = map[string]any{"type": "https://developer.vonage.com/api-errors/messages#1260", "title": "1260", "detail": "Destination unreachable", "instance": "i"}
			}
			return vonageSigned(e, "an-old-signature-secret-0123", time.Now())
		},
		takes: func(t testing.TB, r *http.Request, body []byte) (string, string) {
			m := decoded(t, body)
			user, pass, _ := r.BasicAuth()
			if r.URL.Path != "/v1/messages" || user != "abcd1234" || pass != "apisecret123" || field(m, "channel") != "sms" || field(m, "from") != ours[1:] {
				t.Errorf("%s %s", r.URL.Path, body)
			}
			return field(m, "text"), "+" + field(m, "to")
		},
		reply: func(w http.ResponseWriter, n int) {
			answerJSON(w, http.StatusAccepted, map[string]any{"message_uuid": fmt.Sprintf("id-%d", n)})
		},
		fails: func(w http.ResponseWriter) {
			answerJSON(w, http.StatusUnprocessableEntity, map[string]any{
				"type": "https://developer.vonage.com/api-errors/messages#1150", "title": "Invalid params", "detail": "The value of one or more parameters is invalid.", "instance": "i",
			})
		},
		failed: "undeliverable", detail: "Vonage: Destination unreachable (1260)", refused: "Vonage: The value of one or more parameters is invalid. (Invalid params)",
		states: map[string]channel.State{"submitted": channel.StateSent, "delivered": channel.StateDelivered, "rejected": channel.StateFailed},
	}
}

// TestVonageTokenOfAnotherAccount: the secret fits, the account does not.
func TestVonageTokenOfAnotherAccount(t *testing.T) {
	t.Parallel()
	w, _ := vonageFirm().start(t, &reports{})
	body := `{"message_uuid":"m"}`
	for name, claims := range map[string]jwt.MapClaims{
		"another account": {"iat": time.Now().Unix(), "payload_hash": hexHash(body), "api_key": "other"},
		"no hash":         {"iat": time.Now().Unix(), "api_key": "abcd1234"},
		"no time":         {"payload_hash": hexHash(body), "api_key": "abcd1234"},
	} {
		r := hook(http.MethodPost, "", "application/json", body)
		r.Header.Set("Authorization", "Bearer "+token("an-old-signature-secret-0123", claims))
		if code := w.post(r); code != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, code)
		}
	}
	none := hook(http.MethodPost, "", "application/json", body)
	s, _ := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"iat": time.Now().Unix(), "payload_hash": hexHash(body)}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	none.Header.Set("Authorization", "Bearer "+s)
	if code := w.post(none); code != http.StatusUnauthorized {
		t.Errorf("alg none: %d", code)
	}
}
