package sms

import (
	"strings"

	"github.com/weftline/weftline/pkg/channel"
)

// flagHelp: the message as a whole asks for help, which rules of some countries want answered.
const flagHelp = "help"

// keywords are compared with a whole message, without regard to case, white
// space around it and a full stop or exclamation mark behind it. "Stop by at
// five" is no wish. YES is none either, though some providers take it for START:
// it answers questions. The same list is in docs/quirks/sms.md.
var keywords = map[string]channel.ConsentWish{
	// English
	"STOP": channel.OptOut, "STOPALL": channel.OptOut, "STOP ALL": channel.OptOut, "UNSUBSCRIBE": channel.OptOut, "CANCEL": channel.OptOut,
	"END": channel.OptOut, "QUIT": channel.OptOut, "REVOKE": channel.OptOut, "OPTOUT": channel.OptOut, "OPT OUT": channel.OptOut, "OPT-OUT": channel.OptOut,
	// French
	"ARRET": channel.OptOut, "ARRÊT": channel.OptOut, "ARRETER": channel.OptOut, "ARRÊTER": channel.OptOut, "DESABONNER": channel.OptOut, "DÉSABONNER": channel.OptOut,
	// German
	"STOPP": channel.OptOut, "ABMELDEN": channel.OptOut, "ABBESTELLEN": channel.OptOut,
	// Spanish
	"PARAR": channel.OptOut, "ALTO": channel.OptOut, "SALIR": channel.OptOut, "BAJA": channel.OptOut,
	// Portuguese
	"SAIR": channel.OptOut, "PARE": channel.OptOut,
	// Italian
	"FERMA": channel.OptOut, "CANCELLAMI": channel.OptOut,
	// Dutch
	"AFMELDEN": channel.OptOut, "UITSCHRIJVEN": channel.OptOut,
	// Swedish (STOPP is in the list already), Danish
	"AVSLUTA": channel.OptOut, "AFMELD": channel.OptOut,
	// Polish
	"REZYGNUJE": channel.OptOut, "REZYGNUJĘ": channel.OptOut,
	// Russian, Ukrainian
	"СТОП": channel.OptOut, "ОТПИСАТЬСЯ": channel.OptOut,
	// Hebrew, Arabic
	"הסר": channel.OptOut, "הסירו": channel.OptOut, "توقف": channel.OptOut, "إلغاء": channel.OptOut,

	"START": channel.OptIn, "UNSTOP": channel.OptIn, "SUBSCRIBE": channel.OptIn,
}

var helpWords = map[string]bool{"HELP": true, "INFO": true, "AIDE": true, "HILFE": true, "AYUDA": true, "AJUDA": true}

// consent is what a whole message wishes, and whether it asks for help.
func consent(text string) (wish channel.ConsentWish, help bool) {
	if len(text) > 100 {
		return "", false
	}
	word := strings.TrimSpace(strings.TrimRight(strings.TrimSpace(text), ".!"))
	word = strings.ToUpper(strings.Join(strings.Fields(word), " "))
	return keywords[word], helpWords[word]
}
