package email_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
)

func parsed(t testing.TB, mail string) *channel.Message {
	t.Helper()
	items, err := testParser().Parse(testRaw([]byte(crlf(mail))))
	if err != nil {
		t.Fatal(err)
	}
	return items[0].Message
}

// Whom a forwarded mail says it was from is told, and never is its sender.
func TestForwardedMailClaimsItsFirstSender(t *testing.T) {
	t.Parallel()
	bob := &channel.Claim{Address: "bob@example.net", Name: "Bob Byte"}
	for name, c := range map[string]struct {
		subject, body string
		want          *channel.Claim
	}{
		"Gmail":              {"Fwd: broken", "See below.\n\n---------- Forwarded message ---------\nFrom: Bob Byte <bob@example.net>\nDate: Tue, Nov 3, 2026\nSubject: broken\nTo: Ada <ada@example.org>\n\nIt is broken.\n", bob},
		"Gmail in German":    {"Fwd: kaputt", "---------- Weitergeleitete Nachricht ---------\nVon: *Bob Byte* <bob@example.net>\nDate: Di., 3. Nov. 2026\nSubject: kaputt\nTo: Ada\n\nKaputt.\n", bob},
		"Gmail in French":    {"Fwd: cassé", "---------- Message transféré ---------\nDe : Bob Byte <bob@example.net>\nDate: mar. 3 nov. 2026\nObjet : cassé\nÀ : Ada\n\nCassé.\n", bob},
		"Apple Mail":         {"Fwd: broken", "Can you take it?\n\nBegin forwarded message:\n\nFrom: Bob Byte <bob@example.net>\nSubject: broken\nDate: 3 November 2026\nTo: ada@example.org\n\nIt is broken.\n", bob},
		"Apple Mail, quoted": {"Fwd: kaputt", "> Anfang der weitergeleiteten Nachricht:\n> \n> Von: Bob Byte <bob@example.net>\n> Betreff: kaputt\n> Datum: 3. November 2026\n> An: ada@example.org\n> \n> Kaputt.\n", bob},
		"Outlook":            {"FW: broken", "FYI\n\n________________________________\nFrom: Bob Byte <bob@example.net>\nSent: Tuesday, November 3, 2026 10:00 AM\nTo: Ada <ada@example.org>\nSubject: broken\n\nIt is broken.\n", bob},
		"Outlook in German":  {"WG: kaputt", "zur Info\n\nVon: Bob Byte [mailto:bob@example.net] \nGesendet: Dienstag, 3. November 2026 10:00\nAn: Ada\nBetreff: kaputt\n\nKaputt.\n", bob},
		"Outlook in Spanish": {"RV: roto", "De: Bob Byte <bob@example.net>\nEnviado: martes, 3 de noviembre de 2026\nPara: Ada\nAsunto: roto\n\nRoto.\n", bob},
		"Outlook in Polish":  {"PD: zepsute", "Od: Bob Byte <bob@example.net>\nWysłano: wtorek\nDo: Ada\nTemat: zepsute\n\nZepsute.\n", bob},
		"Outlook in Russian": {"Fwd: сломано", "-------- Пересылаемое сообщение --------\nОт: Bob Byte <bob@example.net>\nДата: 3 ноября\nТема: сломано\n\nСломано.\n", bob},
		"Thunderbird":        {"Fwd: broken", "\n\n-------- Forwarded Message --------\nSubject: \tbroken\nDate: \tTue, 3 Nov 2026\nFrom: \tBob Byte <bob@example.net>\nTo: \tada@example.org\n\nIt is broken.\n", bob},
		"a name only":        {"FW: broken", "From: Byte, Bob\nSent: Tuesday\nTo: Ada\nSubject: broken\n\nIt is.\n", &channel.Claim{Name: "Byte, Bob"}},

		"an answer in Outlook":    {"RE: broken", "Thanks\n\nFrom: Bob Byte <bob@example.net>\nSent: Tuesday\nTo: Ada\nSubject: broken\n\nIt is broken.\n", nil},
		"a subject alone":         {"Fwd: broken", "Nothing inside.\n", nil},
		"a marker without sender": {"Fwd: x", "---------- Forwarded message ---------\n\n\nFrom: bob@example.net\n", nil},
		"no forward at all":       {"Hello", "From: here we go\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := parsed(t, "From: Ada <ada@example.org>\nTo: support@shop.test\nReply-To: bob@example.net\nSubject: "+c.subject+"\nMessage-ID: <f@example.org>\nContent-Type: text/plain; charset=utf-8\n\n"+c.body)
			if diff := cmp.Diff(c.want, m.Content.Forwarded); diff != "" {
				t.Errorf("claim (-want +got):\n%s", diff)
			}
			if slices.Contains(m.Flags, "forwarded") != (c.want != nil) {
				t.Errorf("flags %v", m.Flags)
			}
			if m.From.Address != "ada@example.org" || m.ClaimsHandle != nil || len(m.CC) != 0 || m.Assurance != 1 {
				t.Errorf("a claim became more: %+v", m)
			}
		})
	}
}

func TestForwardedMailInsideClaimsItsSender(t *testing.T) {
	t.Parallel()
	mail := func(kind, inner string) string {
		return "From: Ada <ada@example.org>\nTo: support@shop.test\nSubject: see this\nContent-Type: multipart/" + kind + "; boundary=b\n\n--b\n\nplease\n--b\nContent-Type: message/rfc822\n\n" + inner + "\n--b--\n"
	}
	m := parsed(t, mail("mixed", "From: =?utf-8?Q?B=C3=B6b?= <bob@example.net>\nSubject: x\nIn-Reply-To: <other@example.net>\n\nbroken"))
	if m.Content.Forwarded == nil || *m.Content.Forwarded != (channel.Claim{Address: "bob@example.net", Name: "Böb"}) || len(m.References) != 0 {
		t.Errorf("claim %+v, references %v", m.Content.Forwarded, m.References)
	}
	if m := parsed(t, mail("report; report-type=delivery-status", "From: bob@example.net\n\nx")); m.Content.Forwarded != nil {
		t.Errorf("a report claims %+v", m.Content.Forwarded)
	}
	if m := parsed(t, mail("mixed", "no header at all")); m.Content.Forwarded != nil || !strings.Contains(m.Content.Text, "please") {
		t.Errorf("claim %+v", m.Content.Forwarded)
	}
}
