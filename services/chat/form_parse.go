package chat

import (
	"strings"

	"github.com/weftline/weftline/pkg/channel"
)

// inputForm are the answers to the form before the chat. The question and the
// consent are kept with the words they were asked in.
type inputForm struct {
	Name     string `json:"name,omitempty"`
	Email    string `json:"email,omitempty"`
	Phone    string `json:"phone,omitempty"`
	Ask      string `json:"ask,omitempty"`
	Question string `json:"question,omitempty"`
	Consent  string `json:"consent,omitempty"`
}

// givenBefore stands above answers; agents read it, visitors are not shown it.
const givenBefore = "Given before the chat (typed, not verified)"

// said says whether anything was answered that agents should hear of.
func (f inputForm) said() bool { return f != inputForm{Ask: f.Ask} }

// parseForm makes a message of the answers, and a second one where there are
// two addresses: a message names one. Both are typed, so they are said and
// prove nothing (flag offline_capture).
func parseForm(m channel.Message, f inputForm) []channel.Item {
	var lines []string
	line := func(label, v string) {
		if v != "" {
			lines = append(lines, label+": "+v)
		}
	}
	line("Name", f.Name)
	line("E-mail", f.Email)
	line("Phone", f.Phone)
	line("Agreed to", f.Consent)
	var text []string
	if f.Question != "" {
		ask := f.Ask
		if ask == "" {
			ask = "Question"
		}
		text = append(text, ask+"\n"+f.Question)
	}
	if len(lines) > 0 {
		text = append(text, givenBefore+"\n"+strings.Join(lines, "\n"))
	}
	m.Content.Text = strings.Join(text, "\n\n")
	m.From.Name = f.Name
	m.Flags = []string{flagOffline}
	switch {
	case f.Email != "":
		m.ClaimsHandle = &channel.Address{Kind: "email", Address: f.Email, Name: f.Name}
	case f.Phone != "":
		m.ClaimsHandle = &channel.Address{Kind: "phone", Address: f.Phone, Name: f.Name}
	}
	items := []channel.Item{{Message: &m}}
	if f.Email != "" && f.Phone != "" {
		second := m
		second.ID, second.ClientID = m.ID+"/phone", ""
		second.Content = channel.Content{Text: "Left phone number " + f.Phone + " (typed, not verified)."}
		second.ClaimsHandle = &channel.Address{Kind: "phone", Address: f.Phone, Name: f.Name}
		items = append(items, channel.Item{Message: &second})
	}
	return items
}
