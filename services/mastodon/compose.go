package mastodon

import (
	"regexp"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
)

const (
	usualText = 500 // characters of a post where the instance says nothing
	usualLink = 23
	// reserved is kept free for the customer's name before each piece.
	reserved = 50
	maxParts = 10
)

var (
	links = regexp.MustCompile(`https?://[^\s]+`)
	// mentions are names that an instance would make recipients of: as it finds them, not inside of words and addresses.
	mentions = regexp.MustCompile(`(^|[^\w/=@.-])@(\w)`)
)

// silenced puts a word joiner into names, so that nobody becomes a recipient
// because he is spoken of: a direct message goes to whom it names.
func silenced(text string) string {
	return mentions.ReplaceAllString(text, "$1@\u2060$2")
}

// pieces are the posts of a text, each for the customer; none where there is
// no text. An address counts as long as the instance says, and is not cut.
func pieces(text, to string, acc account) []string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	name, _, _ := strings.Cut(to, "@")
	room := acc.text - max(reserved, len(name)+2)
	if strings.ContainsFunc(text, standsIn) {
		return channel.Split(silenced(text), room, channel.Characters.Length)
	}
	// While it is cut, something of the right length stands for each address.
	var found []string
	text = links.ReplaceAllStringFunc(text, func(s string) string {
		if len(found) == maxLinks {
			return s
		}
		found = append(found, s)
		return strings.Repeat(string(firstStand+rune(len(found)-1)), acc.link)
	})
	all := channel.Split(silenced(text), room, channel.Characters.Length)
	done := map[rune]bool{}
	for i, piece := range all {
		var b strings.Builder
		for _, r := range piece {
			if !standsIn(r) {
				b.WriteRune(r)
			} else if !done[r] {
				done[r] = true
				b.WriteString(found[r-firstStand])
			}
		}
		all[i] = b.String()
	}
	return all
}

// Characters of a private plane stand for addresses.
const (
	firstStand = '\U000F0000'
	maxLinks   = 1000
)

func standsIn(r rune) bool { return r >= firstStand && r < firstStand+maxLinks }

// answering is the visibility of an answer: never wider than what it answers.
func answering(said, setting string) string {
	switch {
	case said != public && said != unlisted:
		return direct // what only followers may read is not for ours
	case setting == answersDirect:
		return direct
	case setting == answersUnlisted:
		return unlisted
	}
	return said
}
