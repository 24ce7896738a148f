package chat

import (
	"slices"
	"strings"

	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
)

// Flags of messages that this channel words for agents.
const (
	flagOffline   = "offline_capture"
	flagAutomatic = "automatic"
)

// ownWords is the text of a message as its visitor is shown it; false: not at
// all. An address he left, the answers of a form and a login are told to agents
// in our words, in English and with our remarks: he has not said that. What he
// answered to the question is his own.
func ownWords(it *channelv1.ListMessagesResponse_Item) (string, bool) {
	text, flags := it.GetText(), it.GetFlags()
	if it.GetDirection() != inboxv1.Direction_DIRECTION_INBOUND {
		return text, true
	}
	if slices.Contains(flags, flagAutomatic) {
		return "", false
	}
	if !slices.Contains(flags, flagOffline) {
		return text, true
	}
	if strings.HasPrefix(text, givenBefore) {
		return "", false
	}
	if i := strings.LastIndex(text, "\n\n"+givenBefore); i >= 0 {
		text = text[:i]
	}
	_, answer, asked := strings.Cut(text, "\n") // below the question
	return answer, asked && answer != ""
}
