package mastodon

import (
	"context"
	"net/http"
	"strings"

	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Setting keys.
const (
	keyInstance = "instance"
	keyToken    = "access_token"
	keyAnswers  = "public_answers"
)

// Values of public_answers: how public an answer to a public post is.
const (
	answersSame     = "same"
	answersUnlisted = "unlisted"
	answersDirect   = "direct"
)

var settings = []inbox.Setting{
	{Key: keyInstance, Label: "Instance", Required: true, Help: "The address of the account's instance, such as https://mastodon.example."},
	{
		Key: keyToken, Label: "Access token", Secret: true, Required: true,
		Help: "On the instance: Preferences, Development, New application, with the scopes read, write:statuses and write:media. Then open the application and copy \"Your access token\".",
	},
	{
		Key: keyAnswers, Label: "Answers to public posts",
		Help:    "unlisted: everybody can read them, but they are in no public timeline. same: as public as what they answer. direct: only the customer gets them. Direct messages are always answered by direct messages.",
		Default: answersUnlisted, Values: []string{answersUnlisted, answersSame, answersDirect}, Advanced: true,
	},
	inbox.KeepDeleted,
	inbox.Mask,
}

type config struct {
	instance string
	token    string
	answers  string
}

// Channel describes the settings of a Mastodon inbox. Its live test asks, through client, who the account is.
func Channel(client *http.Client) inbox.Channel {
	return inbox.Channel{
		Name: Name, Settings: settings,
		Check: hosted.Checks(readConfig),
		Steps: hosted.Asks("Ask the instance who the account is", readConfig, func(ctx context.Context, inboxID string, c config) (string, error) {
			who, err := New(hosted.Deps{Client: client}).account(ctx, inboxID, c)
			return who.acct, attention(err)
		}),
		About: "Mentions and direct messages of a Mastodon account of yours.",
		Needs: []string{"An access token: on the instance Preferences, Development, New application"},
		Recipient: &inbox.Recipient{
			Kind: Name, Label: "Mastodon address", Scoped: true,
			Help: "Such as ada@mastodon.example. It gets a direct message.",
		},
	}
}

func readConfig(values map[string]string) (config, error) {
	s := hosted.Read(values, settings)
	c := config{instance: s.URL(keyInstance), token: s.Text(keyToken), answers: s.Text(keyAnswers)}
	s.Text(inbox.KeyKeepDeleted) // which the hub reads
	if strings.ContainsAny(c.token, " \t\r\n") {
		s.Wrong(keyToken, "holds white space")
	}
	return c, s.Err()
}
