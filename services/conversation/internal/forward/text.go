package forward

import (
	"strings"
	"unicode"

	"github.com/weftline/weftline/pkg/channel"
	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
)

const kindPhone = "phone"

// maxUnits is the longest copy by SMS, in UTF-16 units. Ten parts are the most
// that are sent, and hold 670 where one letter is beyond the GSM alphabet.
const maxUnits = 600

// text is a copy by SMS: who speaks, and what was said. Each part is paid for,
// so there is no word around it. What is longer ends with where the rest is: the
// chat has it all.
func (s *Service) text(q Request, r route, id string, list []*channelv1.ListMessagesResponse_Item, w words, name string) channel.Outbound {
	var said []string
	for _, it := range list {
		said = append(said, item(it, w, false))
	}
	text := strings.Join(said, "\n\n")
	if name != "" {
		text = name + ": " + text
	}
	return channel.Outbound{
		ID: id, Tenant: q.Tenant, Channel: r.channel, Inbox: q.Inbox, Customer: r.customer,
		To:      channel.Address{Kind: q.To.Kind, Address: q.To.Address},
		Content: channel.Content{Text: short(text, "... "+w.rest)}, AuthorName: list[len(list)-1].GetAuthorName(), At: s.Now().UTC(),
	}
}

// short is a text of at most maxUnits, which ends with end where it was longer.
func short(text, end string) string {
	length, text := channel.UTF16Units.Length, strings.TrimSpace(text)
	if length(text) <= maxUnits {
		return text
	}
	room := maxUnits - length(end)
	head := channel.Split(text, room, length)[0]
	if 2*length(head) < room { // one word takes the rest: Split gives it a piece of its own, and here there is one
		tail := strings.TrimLeftFunc(text[len(head):], unicode.IsSpace)
		head = text[:len(text)-len(tail)]
		head += channel.Split(tail, room-length(head), length)[0]
	}
	return strings.TrimSpace(head) + end
}
