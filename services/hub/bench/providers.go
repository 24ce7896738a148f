package bench

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio signs with it
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Secrets of inboxes that nobody else has.
const (
	benchKey   = "0123456789abcdef0123456789abcdef"
	benchWhsec = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	benchToken = "123456789:AAbenchTokenOfNobody_012345678901"
)

// inboxYAML is one entry of the list of inboxes.
func inboxYAML(id, channel string, settings ...string) string {
	s := fmt.Sprintf("  - id: %s\n    channel: %s\n    name: %s\n    settings:\n", id, channel, id)
	for i := 0; i+1 < len(settings); i += 2 {
		s += fmt.Sprintf("      %s: %q\n", settings[i], settings[i+1])
	}
	return s
}

func request(path, body string, header ...string) *http.Request {
	r, err := http.NewRequest(http.MethodPost, "http://hub"+path, strings.NewReader(body))
	if err != nil {
		panic(err) // the path is ours
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func sum256(key []byte, parts ...string) []byte {
	m := hmac.New(sha256.New, key)
	for _, p := range parts {
		m.Write([]byte(p))
	}
	return m.Sum(nil)
}

func apiSource() source {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(benchWhsec, "whsec_"))
	return source{name: "api", inbox: inboxYAML("api", "api", "signing_secret", benchWhsec), write: posts(func(sender, n int) *http.Request {
		body := fmt.Sprintf(`{"type":"message","id":"m%d-%d","from":{"id":"user-%d","name":"Customer"},"text":%q}`, sender, n, sender, text(sender, n))
		id, stamp := uuid.NewString(), strconv.FormatInt(time.Now().Unix(), 10)
		return request("/hooks/api/api", body, "Webhook-Id", id, "Webhook-Timestamp", stamp,
			"Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(sum256(key, id, ".", stamp, ".", body)))
	})}
}

// sources are the channels whose providers post to the hub, and the widget.
func sources(provider string) []source {
	return []source{
		twilioSource(provider), telegramSource(provider),
		metaSource("whatsapp", provider), metaSource("messenger", provider), metaSource("instagram", provider),
		lineSource(provider), slackSource(provider), chatSource(),
	}
}

func twilioSource(provider string) source {
	return source{
		name: "sms", inbox: inboxYAML("sms", "sms", "provider", "twilio", "account", "AC1", "api_key", benchKey, "number", "+15005550006", "api_url", provider),
		write: posts(func(sender, n int) *http.Request {
			v := url.Values{
				"MessageSid": {fmt.Sprintf("SM%d-%d", sender, n)}, "From": {fmt.Sprintf("+1415%07d", 5550000+sender)}, "To": {"+15005550006"},
				"Body": {text(sender, n)}, "NumMedia": {"0"},
			}
			keys := make([]string, 0, len(v))
			for k := range v {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			m := hmac.New(sha1.New, []byte(benchKey))
			m.Write([]byte(channelPublic + "/hooks/sms/sms"))
			for _, k := range keys {
				m.Write([]byte(k + v.Get(k)))
			}
			return request("/hooks/sms/sms", v.Encode(), "Content-Type", "application/x-www-form-urlencoded",
				"X-Twilio-Signature", base64.StdEncoding.EncodeToString(m.Sum(nil)))
		}),
	}
}

func telegramSource(provider string) source {
	return source{
		name: "telegram", inbox: inboxYAML("telegram", "telegram", "bot_token", benchToken, "receive", "webhook", "webhook_secret", benchKey, "api_url", provider),
		write: posts(func(sender, n int) *http.Request {
			return request("/hooks/telegram/telegram", string(telegramUpdate(sender*eachSays+n+1, sender, n)), "X-Telegram-Bot-Api-Secret-Token", benchKey)
		}),
	}
}

func metaSource(name, provider string) source {
	const account = "106540352242922"
	return source{
		name:  name,
		inbox: inboxYAML(name, name, "account_id", account, "access_token", "EAAbench", "app_secret", benchKey, "verify_token", "a word of ours", "api_url", provider),
		write: posts(func(sender, n int) *http.Request {
			now := time.Now()
			var body string
			switch name {
			case "whatsapp":
				phone := fmt.Sprintf("4930%08d", 10_000_000+sender)
				body = fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":%q},"contacts":[{"profile":{"name":"Customer"},"wa_id":%q}],"messages":[{"from":%q,"id":"wamid.%d-%d","timestamp":"%d","type":"text","text":{"body":%q}}]}}]}]}`,
					account, phone, phone, sender, n, now.Unix(), text(sender, n))
			default:
				object := map[string]string{"messenger": "page", "instagram": "instagram"}[name]
				body = fmt.Sprintf(`{"object":%q,"entry":[{"id":%q,"time":%d,"messaging":[{"sender":{"id":"559%010d"},"recipient":{"id":%q},"timestamp":%d,"message":{"mid":"m_%d-%d","text":%q}}]}]}`,
					object, account, now.UnixMilli(), sender, account, now.UnixMilli(), sender, n, text(sender, n))
			}
			return request("/hooks/"+name+"/"+name, body, "X-Hub-Signature-256", "sha256="+hex.EncodeToString(sum256([]byte(benchKey), body)))
		}),
	}
}

func lineSource(provider string) source {
	return source{
		name:  "line",
		inbox: inboxYAML("line", "line", "channel_access_token", "benchChannelTokenOfNobody", "channel_secret", benchKey, "webhook", "by_hand", "api_url", provider, "data_api_url", provider),
		write: posts(func(sender, n int) *http.Request {
			body := fmt.Sprintf(`{"destination":"U0000000000000000000000000000c0de","events":[{"type":"message","mode":"active","timestamp":%d,"source":{"type":"user","userId":"U%032x"},"webhookEventId":"01H%d-%d","deliveryContext":{"isRedelivery":false},"replyToken":"x","message":{"id":"%d","type":"text","quoteToken":"q","text":%q}}]}`,
				time.Now().UnixMilli(), sender, sender, n, sender*eachSays+n+1, text(sender, n))
			return request("/hooks/line/line", body, "X-Line-Signature", base64.StdEncoding.EncodeToString(sum256([]byte(benchKey), body)))
		}),
	}
}

func slackSource(provider string) source {
	return source{
		name:  "slack",
		inbox: inboxYAML("slack", "slack", "bot_token", "xoxb-bench-token-of-nobody", "signing_secret", benchKey, "api_url", provider+"/api"),
		write: posts(func(sender, n int) *http.Request {
			stamp := strconv.FormatInt(time.Now().Unix(), 10)
			user, ts := fmt.Sprintf("U0B%d", sender), fmt.Sprintf("%s.%06d", stamp, sender*eachSays+n)
			body := fmt.Sprintf(`{"team_id":"T0BENCH","type":"event_callback","event_id":"Ev%d-%d","event_time":%s,"authorizations":[{"team_id":"T0BENCH","user_id":"U0BOT","is_bot":true}],"event":{"type":"message","channel_type":"im","channel":"D%s","user":%q,"team":"T0BENCH","text":%q,"ts":%q,"event_ts":%q}}`,
				sender, n, stamp, user, user, text(sender, n), ts, ts)
			return request("/hooks/slack/slack", body, "X-Slack-Request-Timestamp", stamp, "X-Slack-Signature", "v0="+hex.EncodeToString(sum256([]byte(benchKey), "v0:", stamp, ":", body)))
		}),
	}
}
