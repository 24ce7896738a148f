package webhook

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/hosted"
)

// ses: a receipt rule with the action SNS puts the mail into a notification of a topic,
// which posts it. The topic is confirmed by itself, once it is in the settings.
type ses struct {
	client *http.Client
	certs  *certificates
	now    func() time.Time
}

func newSES(client *http.Client, now func() time.Time) *ses {
	// A redirect would lead away from the host that was looked at.
	straight := *client
	straight.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &ses{client: &straight, certs: &certificates{client: &straight}, now: now}
}

// notification is what SES says of a mail.
type notification struct {
	Type string `json:"notificationType"`
	Mail struct {
		ID     string `json:"messageId"`
		Source string `json:"source"`
	} `json:"mail"`
	Receipt struct {
		Recipients []string `json:"recipients"`
		Action     struct {
			Type     string `json:"type"`
			Encoding string `json:"encoding"`
		} `json:"action"`
	} `json:"receipt"`
	Content string `json:"content"`
}

func (*ses) early(email.Webhook, *http.Request) error { return nil }

func (s *ses) admit(c email.Webhook, r *hosted.Request) error {
	m, err := readSNS(r.Body)
	if err != nil {
		return err
	}
	if !slices.Contains(c.Topics, m.TopicArn) {
		return fmt.Errorf("%w: the topic is not in the inbox's settings", hosted.ErrRefused)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.certs.verify(ctx, m, s.now()); err != nil {
		return err
	}
	signed, err := time.Parse(time.RFC3339, m.Timestamp)
	if err != nil {
		return fmt.Errorf("%w: timestamp cannot be read", hosted.ErrRefused)
	}
	if err := fresh(signed, r.At); err != nil {
		return err
	}
	switch m.Type {
	case typeSubscribe:
		return s.confirm(ctx, m)
	case typeNotification:
		n, err := readNotification(m)
		if err == nil && n.Type == "Received" && n.Content == "" {
			return fmt.Errorf("%w: SES keeps the mail elsewhere (action %s) and sends a pointer only; use a receipt rule with the action SNS alone, up to 150 KB", hosted.ErrUnusable, clip(n.Receipt.Action.Type, 40))
		}
	}
	return nil
}

// confirm says to SNS that the topic may post here.
func (s *ses) confirm(ctx context.Context, m sns) error {
	u, err := url.Parse(m.SubscribeURL)
	if err != nil || !amazon(u) || u.Query().Get("Action") != "ConfirmSubscription" || u.Query().Get("TopicArn") != m.TopicArn {
		return fmt.Errorf("%w: SubscribeURL does not confirm the topic at Amazon", hosted.ErrRefused)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return fmt.Errorf("%w: SubscribeURL cannot be read", hosted.ErrRefused)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return fmt.Errorf("%w: confirm the topic: %w", hosted.ErrLater, hosted.Scrub(err))
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: confirm the topic: Amazon answers %d", hosted.ErrLater, res.StatusCode)
	}
	return nil
}

func readNotification(m sns) (notification, error) {
	var n notification
	if err := json.Unmarshal([]byte(m.Message), &n); err != nil {
		return n, fmt.Errorf("%w: the notification is no JSON", errNoMail)
	}
	return n, nil
}

func (s *ses) split(r *hosted.Request) ([]found, error) {
	m, err := readSNS(r.Body)
	if err != nil {
		return nil, errNoMail
	}
	if m.Type != typeNotification {
		return nil, nil
	}
	n, err := readNotification(m)
	if err != nil {
		if m.Subject == "Amazon SES Email Receiving setup notification" || m.Subject == "Amazon SES Email Event Notification" {
			return nil, nil // what SES sends when the rule is made
		}
		return nil, err
	}
	if n.Type != "Received" {
		return nil, nil // about mail that went out
	}
	mail := []byte(n.Content)
	if n.Receipt.Action.Encoding == "BASE64" {
		if mail, err = base64.StdEncoding.DecodeString(n.Content); err != nil {
			return nil, fmt.Errorf("%w: content is no base64", errNoMail)
		}
	}
	id := ""
	if n.Mail.ID != "" {
		id = "ses/" + clip(n.Mail.ID, 500)
	}
	return []found{{id: id, mail: mail, from: n.Mail.Source, to: n.Receipt.Recipients}}, nil
}
