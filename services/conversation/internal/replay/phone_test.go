package replay_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/replay"
)

// caller has a telephone number, and one conversation with a message.
func caller(number, conversation, handle string) []string {
	return []string{
		fmt.Sprintf(`{"type":"customer","id":"7","name":"Ada","handles":[{"kind":"phone","address":%q,"assurance":1}]}`, number),
		`{"type":"conversation","id":"c1","customer":"7","inbox":"line","channel":"sms"` + conversation + `}`,
		message("m1", "c1", "in", "10:00:00", handle),
	}
}

// TestNumbersAreReadWhereTheyWereDialled: one line is one handle, whatever the
// source wrote, and is what a live message from it would come on.
func TestNumbersAreReadWhereTheyWereDialled(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		number, conversation, handle string
		regions                      map[string]string
		live                         string // how the number looks on the wire
	}{
		"of the called number":         {"030 12345678", `,"number":"+49301111111"`, "", nil, "+493012345678"},
		"of the inbox":                 {"030 12345678", "", "", map[string]string{"line": "DE", "": "US"}, "+493012345678"},
		"of the called number first":   {"020 7946 0958", `,"number":"+442079460000"`, "", map[string]string{"line": "DE", "": "US"}, "+442079460958"},
		"of all that say nothing":      {"(212) 555-0142", "", "", map[string]string{"other": "DE", "": "US"}, "+12125550142"},
		"with 00":                      {"0049 30 12345678", "", "", map[string]string{"": "FR"}, "+493012345678"},
		"international needs none":     {"+49 (0)30 12345678", "", "", nil, "+493012345678"},
		"a message's own":              {"+12125550142", `,"number":"+49301111111"`, `,"handle":{"kind":"phone","address":"030 12345678"}`, nil, "+493012345678"},
		"Brazil, of before 2012":       {"(11) 8765-4321", "", "", map[string]string{"": "BR"}, "+5511987654321"},
		"Brazil, of today":             {"(11) 98765-4321", `,"number":"+551133334444"`, "", nil, "+5511987654321"},
		"Brazil, live without the 9":   {"(11) 98765-4321", "", "", map[string]string{"": "BR"}, "+551187654321"},
		"Argentina, at home":           {"011 15-2345-6789", "", "", map[string]string{"": "AR"}, "+5491123456789"},
		"Argentina, live without 9":    {"011 15-2345-6789", `,"number":"+541143331234"`, "", nil, "+541123456789"},
		"Argentina, from abroad":       {"+54 9 11 2345-6789", "", "", nil, "+541123456789"},
		"Mexico, until 2019":           {"+52 1 55 1234 5678", "", "", nil, "+525512345678"},
		"Mexico, at home":              {"55 1234 5678", "", "", map[string]string{"line": "MX"}, "+5215512345678"},
		"a short code is no number":    {"12345", "", "", nil, "12345"},
		"a sender's name is no number": {"MYSHOP2000", "", "", nil, "MYSHOP2000"},
		"no number of there stays":     {"0000000", "", "", map[string]string{"": "DE"}, "0000000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t)
			rep, err := r.run(replay.Config{Regions: c.regions}, caller(c.number, c.conversation, c.handle)...)
			if err != nil || rep.BadLines != 0 || rep.Written != 1 {
				t.Fatalf("%v %+v", err, rep)
			}
			own, err := r.Claims.Find(t.Context(), "default", channel.Address{Kind: "phone", Address: c.live})
			if err != nil || !own.Owned() {
				t.Fatalf("nobody has %s: %v", c.live, err)
			}
			if m := domaintest.Events[event.MessageReceived](r.Domain)[0]; m.Handle != own.ID {
				t.Errorf("the message came on another handle than %s", c.live)
			}
		})
	}
}

// TestNumbersNobodyCanRead: the line is named, and the number; nothing of the
// customer is imported, and everybody else is.
func TestNumbersNobodyCanRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		number, conversation, handle string
		regions                      map[string]string
		line                         int
		says                         string
	}{
		"customer": {"030 12345678", "", "", map[string]string{"other": "DE"}, 2, `handles.0.address: "030 12345678" has no country code`},
		"message":  {"+12125550142", "", `,"handle":{"kind":"phone","address":"030 12345678"}`, nil, 4, `handle.address: "030 12345678" has no country code`},
		"with 00":  {"0049 30 12345678", "", "", nil, 2, "has no country code"},
		"number":   {"+12125550142", `,"number":"030 1111111"`, "", nil, 3, "number: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t)
			lines := append(caller(c.number, c.conversation, c.handle), customer("8", "bob@x.org"), conversation("c2", "8", ""), message("m2", "c2", "in", "11:00:00", ""))
			rep, err := r.run(replay.Config{Regions: c.regions}, lines...)
			if err != nil || rep.Written != 1 || rep.BadLines == 0 {
				t.Fatalf("%v %+v", err, rep)
			}
			if !slices.ContainsFunc(rep.Bad, func(b replay.BadLine) bool { return b.Line == c.line && strings.Contains(b.Problem, c.says) }) {
				t.Errorf("says %v, want line %d: %s", rep.Bad, c.line, c.says)
			}
		})
	}
}

// Two of his conversations were in two countries, and his number is one in each.
func TestNumberOfTwoCountries(t *testing.T) {
	t.Parallel()
	r := setup(t)
	lines := append(caller("030 12345678", `,"number":"+49301111111"`, ""),
		`{"type":"conversation","id":"c2","customer":"7","inbox":"line","channel":"sms","number":"+390611111111"}`, message("m2", "c2", "in", "11:00:00", ""))
	rep, err := r.run(replay.Config{}, lines...)
	if err != nil || rep.BadLines == 0 || rep.Bad[0].Line != 2 || !strings.Contains(rep.Bad[0].Problem, "country code") {
		t.Fatalf("%v %+v", err, rep)
	}
}
