package telegram

// Update is what of the Bot API's Update is read ("Getting updates").
type update struct {
	ID         int64       `json:"update_id"`
	Message    *message    `json:"message"`
	Edited     *message    `json:"edited_message"`
	Post       *message    `json:"channel_post"`
	EditedPost *message    `json:"edited_channel_post"`
	Reaction   *reaction   `json:"message_reaction"`
	Callback   *callback   `json:"callback_query"`
	Membership *membership `json:"my_chat_member"`
}

type user struct {
	ID       int64  `json:"id"`
	First    string `json:"first_name"`
	Last     string `json:"last_name"`
	Username string `json:"username"`
}

type chat struct {
	ID       int64  `json:"id"`
	Type     string `json:"type"`
	Title    string `json:"title"`
	First    string `json:"first_name"`
	Last     string `json:"last_name"`
	Username string `json:"username"`
}

type message struct {
	ID       int64    `json:"message_id"`
	From     *user    `json:"from"`
	Chat     chat     `json:"chat"`
	Date     int64    `json:"date"`
	EditDate int64    `json:"edit_date"`
	Text     string   `json:"text"`
	Entities []entity `json:"entities"`
	Caption  string   `json:"caption"`
	Captions []entity `json:"caption_entities"`

	ReplyTo *message `json:"reply_to_message"`
	Quote   *struct {
		Text string `json:"text"`
	} `json:"quote"`
	Forward *origin `json:"forward_origin"`

	Photo     []file    `json:"photo"`
	Document  *file     `json:"document"`
	Animation *file     `json:"animation"`
	Audio     *file     `json:"audio"`
	Video     *file     `json:"video"`
	VideoNote *file     `json:"video_note"`
	Voice     *file     `json:"voice"`
	Sticker   *sticker  `json:"sticker"`
	Contact   *contact  `json:"contact"`
	Location  *location `json:"location"`
	Venue     *venue    `json:"venue"`
	Dice      *struct {
		Emoji string `json:"emoji"`
		Value int    `json:"value"`
	} `json:"dice"`
	Poll *struct {
		Question string `json:"question"`
	} `json:"poll"`
	Story *struct{} `json:"story"`
}

type file struct {
	ID    string `json:"file_id"`
	Name  string `json:"file_name"`
	Type  string `json:"mime_type"`
	Size  int64  `json:"file_size"`
	Width int    `json:"width"`
}

type sticker struct {
	file
	Emoji    string `json:"emoji"`
	Animated bool   `json:"is_animated"`
	Video    bool   `json:"is_video"`
}

type contact struct {
	Phone  string `json:"phone_number"`
	First  string `json:"first_name"`
	Last   string `json:"last_name"`
	UserID int64  `json:"user_id"`
}

type location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
}

type venue struct {
	Location location `json:"location"`
	Title    string   `json:"title"`
	Address  string   `json:"address"`
}

// origin is one of four kinds ("MessageOrigin").
type origin struct {
	Type       string `json:"type"`
	User       *user  `json:"sender_user"`
	HiddenName string `json:"sender_user_name"`
	SenderChat *chat  `json:"sender_chat"`
	Chat       *chat  `json:"chat"`
}

type reaction struct {
	Chat      chat           `json:"chat"`
	MessageID int64          `json:"message_id"`
	User      *user          `json:"user"`
	Date      int64          `json:"date"`
	Old       []reactionType `json:"old_reaction"`
	New       []reactionType `json:"new_reaction"`
}

type reactionType struct {
	Type   string `json:"type"`
	Emoji  string `json:"emoji"`
	Custom string `json:"custom_emoji_id"`
}

type callback struct {
	ID      string `json:"id"`
	From    *user  `json:"from"`
	Data    string `json:"data"`
	Message *struct {
		ID     int64 `json:"message_id"`
		Chat   chat  `json:"chat"`
		Markup struct {
			Keyboard [][]struct {
				Text string `json:"text"`
				Data string `json:"callback_data"`
			} `json:"inline_keyboard"`
		} `json:"reply_markup"`
	} `json:"message"`
}

type membership struct {
	Chat chat  `json:"chat"`
	From *user `json:"from"`
	Date int64 `json:"date"`
	New  struct {
		Status string `json:"status"`
	} `json:"new_chat_member"`
}
