package forward

import (
	"fmt"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
)

// words are what a copy says around what was said.
type words struct {
	subject    string // %s: the chat's name
	answered   string
	transcript string
	reply      string
	you        string
	rest       string // what a text message had no room for
}

var languages = map[string]words{
	"en": {"Your chat with %s", "You had left the chat with %s. This is our answer:", "This is your chat with %s, as you asked:", "You can answer this message: it comes to the same conversation.", "You", "The rest is in the chat."},
	"de": {"Ihr Chat mit %s", "Sie hatten den Chat mit %s verlassen. Das ist unsere Antwort:", "Das ist Ihr Chat mit %s, wie Sie es wünschten:", "Sie können auf diese Nachricht antworten: Die Antwort kommt im selben Gespräch an.", "Sie", "Der Rest steht im Chat."},
	"fr": {"Votre chat avec %s", "Vous aviez quitté le chat avec %s. Voici notre réponse :", "Voici votre chat avec %s, comme demandé :", "Vous pouvez répondre à ce message : la réponse arrive dans la même conversation.", "Vous", "La suite est dans le chat."},
	"es": {"Su chat con %s", "Había dejado el chat con %s. Esta es nuestra respuesta:", "Este es su chat con %s, como pidió:", "Puede responder a este mensaje: llega a la misma conversación.", "Usted", "El resto está en el chat."},
	"pt": {"O seu chat com %s", "Tinha saído do chat com %s. Esta é a nossa resposta:", "Este é o seu chat com %s, como pediu:", "Pode responder a esta mensagem: chega à mesma conversa.", "Você", "O resto está no chat."},
	"ar": {"دردشتك مع %s", "كنت قد غادرت الدردشة مع %s. هذا ردنا:", "هذه دردشتك مع %s كما طلبت:", "يمكنك الرد على هذه الرسالة: يصل الرد إلى المحادثة نفسها.", "أنت", "البقية في الدردشة."},
	"he": {"הצ׳אט שלך עם %s", "עזבת את הצ׳אט עם %s. זו תשובתנו:", "זה הצ׳אט שלך עם %s, כפי שביקשת:", "אפשר להשיב להודעה הזו: התשובה מגיעה לאותה שיחה.", "את/ה", "ההמשך בצ׳אט."},
	"ja": {"%s とのチャット", "%s とのチャットを離れた後の返信です：", "ご依頼のあった %s とのチャットです：", "このメッセージに返信すると、同じ会話に届きます。", "あなた", "続きはチャットをご覧ください。"},
}

// maxText bounds a copy's text, in bytes; the newest is kept.
const maxText = 200 << 10

// letter is the copy. Nobody's words stand in its headers: names and subject are ours.
func (s *Service) letter(q Request, r route, id string, list []*channelv1.ListMessagesResponse_Item, all bool) channel.Outbound {
	w, ok := languages[q.Language]
	if !ok {
		w = languages["en"]
	}
	name := s.InboxName(q.Via.Scope)
	if q.To.Kind == kindPhone {
		return s.text(q, r, id, list, w, name)
	}
	lead := w.answered
	if all {
		lead = w.transcript
	}
	var said []string
	size := 0
	for i := len(list) - 1; i >= 0; i-- {
		text := item(list[i], w, all)
		if size += len(text); size > maxText && len(said) > 0 {
			said = append([]string{"…"}, said...)
			break
		}
		said = append([]string{text}, said...)
	}
	author := ""
	if !all {
		author = list[len(list)-1].GetAuthorName()
	}
	return channel.Outbound{
		ID: id, Tenant: q.Tenant, Channel: r.channel, Inbox: q.Inbox, Customer: r.customer,
		To: channel.Address{Kind: q.To.Kind, Address: q.To.Address}, Subject: fmt.Sprintf(w.subject, name),
		Content:    channel.Content{Text: fmt.Sprintf(lead, name) + "\n\n" + strings.Join(said, "\n\n") + "\n\n-- \n" + w.reply},
		AuthorName: author, At: s.Now().UTC(),
		// A transcript answers a press of a button; a reply was written by somebody.
		Automatic: all,
	}
}

func item(it *channelv1.ListMessagesResponse_Item, w words, all bool) string {
	text := it.GetText()
	for _, f := range it.GetAttachments() {
		text = strings.TrimSpace(text + "\n[" + f.GetName() + "]")
	}
	if !all {
		return text
	}
	who := w.you
	if ours(it) {
		if who = it.GetAuthorName(); who == "" {
			who = "—"
		}
	}
	if at := it.GetAt(); at != nil {
		who += ", " + at.AsTime().UTC().Format(time.DateTime) + " UTC"
	}
	return who + ":\n" + text
}
