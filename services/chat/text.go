package chat

import (
	"context"
	"fmt"
	"strings"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/inbox"
)

// keySMSBy is the setting of what goes on by SMS; continue_after is the same as by mail.
const keySMSBy = "continue_by_sms"

const smsChannel = "sms"

var smsSettings = []inbox.Setting{
	{Key: keySMSBy, Label: "Continue by SMS", Help: "Id of the SMS inbox by which our answer follows a visitor who has left. Only to a mobile number he has proven in the chat: one that was only typed gets a code and nothing else. Each message is paid for. Empty: it is not offered.", Group: groupMail, Inbox: []string{smsChannel}},
}

func readSMS(get func(string) string) (by string, errs []error) {
	if by = get(keySMSBy); by != "" && !subject.ValidToken(by) {
		errs = append(errs, fmt.Errorf("%s: %q is not the id of an inbox", keySMSBy, by))
	}
	return by, errs
}

// texts says whether chats of the inbox go on by SMS.
func (a *Adapter) texts(c *config) bool {
	_, ok := a.numbers(c)
	return ok
}

// numbers reads what is typed as it is dialled where the SMS inbox is.
func (a *Adapter) numbers(c *config) (handleid.Normaliser, bool) {
	if c.SMSBy == "" || a.d.Forward == nil || a.d.Numbers == nil {
		return handleid.Normaliser{}, false
	}
	in, ok := a.d.Inboxes.Get(c.SMSBy)
	if !ok || in.Channel != smsChannel {
		return handleid.Normaliser{}, false
	}
	return a.d.Numbers(in.Settings), true
}

// number checks a number that a visitor typed, and gives it as it is dialled
// from anywhere. The error shows what is allowed.
func (a *Adapter) number(c *config, typed string) (string, error) {
	numbers, ok := a.numbers(c)
	if !ok {
		return "", &frameError{Field: fieldPhone}
	}
	if n, ok := numbers.Mobile(typed); ok {
		return n, nil
	}
	return "", &frameError{Field: fieldPhone, Limit: handleid.MaxDigits, Example: numbers.Example()}
}

// shortenNumber shows enough of a number to know it again.
func shortenNumber(n string) string {
	if len(n) < 8 || !strings.HasPrefix(n, "+") {
		return ""
	}
	return "…" + n[len(n)-3:]
}

// smsTo is where this visitor's text messages go, "" for nowhere yet.
func (s *session) smsTo(ctx context.Context) (string, error) {
	var h handleState
	if _, err := s.a.load(ctx, colHandle, s.handleID, &h); err != nil {
		return "", err
	}
	return s.a.openAddress(ctx, s.handleID, h.Phone)
}
