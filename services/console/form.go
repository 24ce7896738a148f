package console

import (
	"cmp"
	"context"

	consolev1 "github.com/weftline/weftline/pkg/weftline/console/v1"
	"github.com/weftline/weftline/services/internal/inbox"
)

// ListChannels describes the channels for the form; it holds nothing of an inbox.
func (r rpc) ListChannels(ctx context.Context, _ *consolev1.ListChannelsRequest) (*consolev1.ListChannelsResponse, error) {
	if _, err := agentOnly(ctx); err != nil {
		return nil, err
	}
	res := &consolev1.ListChannelsResponse{}
	for _, c := range r.deps.Inboxes.Channels() {
		res.Channels = append(res.Channels, channelProto(c))
	}
	return res, nil
}

func channelProto(c inbox.Channel) *consolev1.Channel {
	p := &consolev1.Channel{Name: c.Name, About: c.About, Needs: c.Needs, Testable: c.Steps != nil}
	for _, s := range asCalled(c.Settings) {
		f := &consolev1.Setting{
			Key: s.Key, Label: s.Label, Help: s.Help, Secret: s.Secret, Required: s.Required, Default: s.Default,
			Group: s.Group, Advanced: s.Advanced, Lines: s.Lines, When: condition(s.When),
		}
		for _, v := range s.Values {
			f.Values = append(f.Values, &consolev1.SettingValue{Value: v, Words: cmp.Or(s.Words[v], v)})
		}
		p.Settings = append(p.Settings, f)
	}
	for _, x := range c.Paste {
		p.Paste = append(p.Paste, &consolev1.Paste{What: x.What, Where: x.Where, Key: x.Key, When: condition(x.When), Tail: x.Tail})
	}
	if c.Recipient != nil {
		p.Recipient = &consolev1.Recipient{Label: c.Recipient.Label, Help: c.Recipient.Help}
	}
	return p
}

// asCalled gives a setting that is called differently once for each of those names.
func asCalled(settings []inbox.Setting) (list []inbox.Setting) {
	for _, s := range settings {
		if s.Called == nil {
			list = append(list, s)
			continue
		}
		for _, v := range s.When.Is {
			one := s
			one.When = inbox.When{Key: s.When.Key, Is: []string{v}}
			if c, ok := s.Called[v]; ok {
				one.Label, one.Help = c.Label, c.Help
			}
			list = append(list, one)
		}
	}
	return list
}

func condition(w inbox.When) *consolev1.SettingCondition {
	if w.Key == "" {
		return nil
	}
	return &consolev1.SettingCondition{Key: w.Key, Is: w.Is}
}
