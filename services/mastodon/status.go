package mastodon

import "time"

// status is what of a post is read ("Status").
type status struct {
	ID          string    `json:"id"`
	CreatedAt   time.Time `json:"created_at"`
	EditedAt    time.Time `json:"edited_at"`
	InReplyTo   string    `json:"in_reply_to_id"`
	Visibility  string    `json:"visibility"`
	Spoiler     string    `json:"spoiler_text"`
	Content     string    `json:"content"`
	Account     user      `json:"account"`
	Media       []media   `json:"media_attachments"`
	Mentions    []mention `json:"mentions"`
	Poll        *poll     `json:"poll"`
	Reblog      *struct{} `json:"reblog"`
	Application struct {
		Name string `json:"name"`
	} `json:"application"`
}

type user struct {
	ID   string `json:"id"`
	Acct string `json:"acct"`
	Name string `json:"display_name"`
	Bot  bool   `json:"bot"`
}

type mention struct {
	ID   string `json:"id"`
	Acct string `json:"acct"`
}

type media struct {
	ID          string `json:"id"`
	Type        string `json:"type"`
	URL         string `json:"url"`
	Remote      string `json:"remote_url"`
	Description string `json:"description"`
}

type poll struct {
	Options []struct {
		Title string `json:"title"`
	} `json:"options"`
}

// notification is what of a notification is read ("Notification").
type notification struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"`
	CreatedAt time.Time `json:"created_at"`
	Account   user      `json:"account"`
	Status    *status   `json:"status"`
}

// Visibilities that are told apart: followers only ("private") and whatever is new are treated as the narrowest.
const (
	public   = "public"
	unlisted = "unlisted"
	direct   = "direct"
)

// newer says whether an id comes after another. They are numbers that grow, as texts.
func newer(x, y string) bool { return len(x) > len(y) || len(x) == len(y) && x > y }
