package meta

import (
	"strings"

	"github.com/weftline/weftline/services/internal/hosted"
)

// waMessage is what of a message is read ("messages webhook reference").
type waMessage struct {
	ID         string `json:"id"`
	From       string `json:"from"`         // a phone number without +; absent where the user hides it
	FromUserID string `json:"from_user_id"` // BSUID
	Timestamp  string `json:"timestamp"`
	Type       string `json:"type"`
	Text       struct {
		Body string `json:"body"`
	} `json:"text"`
	Image    *waMedia    `json:"image"`
	Video    *waMedia    `json:"video"`
	Audio    *waMedia    `json:"audio"`
	Document *waMedia    `json:"document"`
	Sticker  *waMedia    `json:"sticker"`
	Location *waLocation `json:"location"`
	Contacts []waCard    `json:"contacts"`
	Button   *struct {
		Text string `json:"text"`
	} `json:"button"`
	Interactive *struct {
		Type   string  `json:"type"`
		Button waReply `json:"button_reply"`
		List   waReply `json:"list_reply"`
		Flow   struct {
			Name string `json:"name"`
			Body string `json:"body"`
			JSON string `json:"response_json"`
		} `json:"nfm_reply"`
	} `json:"interactive"`
	Reaction *struct {
		MessageID string `json:"message_id"`
		Emoji     string `json:"emoji"`
	} `json:"reaction"`
	System *struct {
		Body   string `json:"body"`
		Type   string `json:"type"`
		WaID   string `json:"wa_id"`
		UserID string `json:"user_id"`
	} `json:"system"`
	Order *struct {
		Text  string `json:"text"`
		Items []struct {
			ID       string     `json:"product_retailer_id"`
			Quantity jsonNumber `json:"quantity"`
			Price    jsonNumber `json:"item_price"`
			Currency string     `json:"currency"`
		} `json:"product_items"`
	} `json:"order"`
	Context *struct {
		ID        string `json:"id"`
		Forwarded bool   `json:"forwarded"`
		Often     bool   `json:"frequently_forwarded"`
	} `json:"context"`
	Referral *struct {
		Headline string `json:"headline"`
	} `json:"referral"`
	Errors []waError `json:"errors"`
}

type waMedia struct {
	ID       string `json:"id"`
	Type     string `json:"mime_type"`
	Caption  string `json:"caption"`
	Filename string `json:"filename"`
	Voice    bool   `json:"voice"`
}

type waLocation struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name"`
	Address   string  `json:"address"`
}

type waCard struct {
	Name struct {
		Formatted string `json:"formatted_name"`
	} `json:"name"`
	Phones []struct {
		Phone string `json:"phone"`
	} `json:"phones"`
	Emails []struct {
		Email string `json:"email"`
	} `json:"emails"`
}

type waReply struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
}

type waError struct {
	Code    int    `json:"code"`
	Title   string `json:"title"`
	Message string `json:"message"`
	Data    struct {
		Details string `json:"details"`
	} `json:"error_data"`
}

func (e waError) words() string {
	message := e.Title
	if message == "" {
		message = e.Message
	}
	return words(e.Code, 0, message, e.Data.Details)
}

type waContact struct {
	Profile struct {
		Name     string `json:"name"`
		Username string `json:"username"`
	} `json:"profile"`
	WaID   string `json:"wa_id"`
	UserID string `json:"user_id"`
}

// waStatus is what became of a message of ours ("Status messages webhook reference").
type waStatus struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"`
	Timestamp string    `json:"timestamp"`
	Mark      string    `json:"biz_opaque_callback_data"`
	Errors    []waError `json:"errors"`
}

// jsonNumber is a number, or one written as a string.
type jsonNumber string

// UnmarshalJSON implements json.Unmarshaler.
func (n *jsonNumber) UnmarshalJSON(b []byte) error {
	*n = jsonNumber(hosted.Clip(strings.Trim(string(b), `"`), 40))
	return nil
}
