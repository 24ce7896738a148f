package chat_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/chat"
)

// TestConformance runs the suite every channel passes. The provider is a
// browser: it sends over its socket and shows each message id once.
func TestConformance(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	visitors := map[channel.Adapter]string{}
	channeltest.Run(t, channeltest.Harness{
		Name: "Chat", Counterpart: channeltest.RealServer + ": a websocket client; the widget itself in the browser tests",
		Without: map[string]string{
			"HundredAtOnceAreOne":        "frames of a socket come one after the other; a client id twice is one message in TestSameClientIDIsOneMessage",
			"ForgedIsRefused":            "visitors hold a sealed token instead of signing; forged ones in security_test.go",
			"OldProofIsRefused":          "a visitor's token ends with its key; logins that ended are refused in security_test.go",
			"TwoSecretsAreLive":          "login keys carry ids, any number is live; security_test.go",
			"ProviderTimeIsKept":         "a visitor's clock is not believed; the hub's is kept",
			"RetryAfterIsObeyed":         "no provider is called",
			"RefusedTokenNeedsAttention": "no provider is called",
			"RevokedTokenIsNoticed":      "no provider is called",
			"LostAnswerIsUnknown":        "no provider is called; a socket that breaks is resumed in resume_test.go",
			"ServerErrorIsTried":         "no provider is called",
			"HealthTellsInAndOut":        "an inbox works while the hub does",
		},
		New: func(t *testing.T, intake channel.Intake) channeltest.Subject {
			w := start(t, nil, func(d *chat.Deps) { d.Intake = intake })
			v := w.visit(frame{})
			token := v.await("welcome").str("token")
			raw, _ := base64.RawURLEncoding.DecodeString(token)
			mu.Lock()
			visitors[w.adapter] = hex.EncodeToString(raw[:16])
			mu.Unlock()

			var seen sync.Mutex
			var texts []string
			ids := map[string]bool{}
			answers := make(chan frame, 100)
			go func() {
				for f := v.next(); f != nil; f = v.next() {
					switch f.str("type") {
					case "ack", "error":
						answers <- f
					case "message":
						m := frame(f["message"].(map[string]any))
						seen.Lock()
						if !ids[m.str("id")] {
							ids[m.str("id")], texts = true, append(texts, m.str("text"))
						}
						seen.Unlock()
					}
				}
			}()
			return channeltest.Subject{
				Adapter: w.adapter,
				Shown: func() []string {
					seen.Lock()
					defer seen.Unlock()
					return slices.Clone(texts)
				},
				Deliver: func(ctx context.Context, id, text string) error {
					sum := sha256.Sum256([]byte(id))
					h := hex.EncodeToString(sum[:16])
					client := fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
					v.send(frame{"type": "message", "client_id": client, "text": text})
					for {
						select {
						case f := <-answers:
							if f.str("client_id") != client {
								continue
							}
							if f.str("type") == "error" {
								return errors.New(f.str("code"))
							}
							return nil
						case <-ctx.Done():
							return ctx.Err()
						}
					}
				},
			}
		},
		Outbound: func(s channeltest.Subject) channel.Outbound {
			mu.Lock()
			defer mu.Unlock()
			return channel.Outbound{Inbox: "shop", Customer: "c1", Position: "1", To: channel.Address{Kind: chat.Name, Scope: "shop", Address: visitors[s.Adapter]}}
		},
	})
}
