package canary

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// word is the n-th canary: what nobody else would write.
func word(n int) string { return fmt.Sprintf("kanarie%02dqzvx", n) }

// What each canary is.
const (
	cName = iota
	cAddress
	cPhone
	cSubject
	cText
	cHTML
	cQuoted
	cFileName
	cFileBytes
	cNote
	cAttribute
	cDraft
	cReplyText
	cReplyFile
	cReplyBytes
	cChatName
	cChatSub
	cChatText
	cChatFile
	cChatBytes
	cSecond
	cBig
	cHold
	cLast
)

func words() []string {
	var all []string
	for n := range cLast {
		all = append(all, word(n))
	}
	return all
}

// planted says where things are.
type planted struct {
	address, customer, conversation string
	stranger                        string // of another customer in the same thread
	mails                           []string
}

// plant lets a person write by mail and chat, be answered and be written about.
func (r *rig) plant() planted {
	r.t.Helper()
	p := planted{address: word(cAddress) + "@example.org"}
	mail := func(id, subject, body string) string {
		m := fmt.Sprintf("From: %s <%s>\nTo: support@shop.test\nSubject: %s\nMessage-ID: <%s@example.org>\nDate: %s\n%s",
			word(cName), p.address, subject, id, time.Now().UTC().Format(time.RFC1123Z), body)
		p.mails = append(p.mails, m)
		r.deliver(m)
		return m
	}
	file := base64.StdEncoding.EncodeToString([]byte("bytes of a file: " + word(cFileBytes)))
	mail("one", word(cSubject), fmt.Sprintf(`MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/alternative; boundary=a

--a
Content-Type: text/plain

Where is it? Call +1 555 %s. %s

On Monday somebody wrote:
> %s
--a
Content-Type: text/html

<p>Where is it? %s</p>
--a--
--b
Content-Type: application/octet-stream
Content-Disposition: attachment; filename=%s.bin
Content-Transfer-Encoding: base64

%s
--b--
`, word(cPhone), word(cText), word(cQuoted), word(cHTML), word(cFileName), file))
	found := r.until("the first mail", "FindCustomer", `{"handle":{"kind":"email","address":"`+p.address+`"}}`, func(v map[string]any) bool {
		return str(v, "customer", "id") != ""
	})
	p.customer = str(found, "customer", "id")
	row := r.until("its conversation", "GetTimeline", `{"customerId":"`+p.customer+`"}`, func(v map[string]any) bool {
		return strings.Contains(text(v), word(cFileName))
	})
	p.conversation = str(row["conversations"].([]any)[0].(map[string]any), "id")

	// A stranger quotes the Message-ID: a message of his own, about the same thing.
	r.deliver("From: Other <other@example.org>\nTo: support@shop.test\nSubject: Re: it\nMessage-ID: <other@example.org>\nIn-Reply-To: <one@example.org>\n\nI am somebody else.\n")
	p.stranger = str(r.until("the stranger", "FindCustomer", `{"handle":{"kind":"email","address":"other@example.org"}}`, func(v map[string]any) bool {
		return str(v, "customer", "id") != ""
	}), "customer", "id")

	up := r.upload(word(cReplyFile)+".txt", []byte("for you: "+word(cReplyBytes)))
	r.call("SendReply", fmt.Sprintf(`{"conversationId":%q,"text":%q,"attachments":[%s]}`, p.conversation, "Here it is: "+word(cReplyText), text(up)))
	ctx, cancel := ctxOf(r)
	defer cancel()
	if _, err := r.sink.Wait(ctx, 1); err != nil {
		r.t.Fatal(err)
	}
	r.call("AddNote", fmt.Sprintf(`{"conversationId":%q,"text":%q}`, p.conversation, "careful: "+word(cNote)))
	r.call("SetAttribute", fmt.Sprintf(`{"customerId":%q,"name":"plan","value":%q}`, p.customer, word(cAttribute)))
	r.call("SaveDraft", fmt.Sprintf(`{"draft":{"conversationId":%q,"kind":"reply","text":%q,"revision":1}}`, p.conversation, "half a thought "+word(cDraft)))
	mail("two", "again", "\n"+word(cSecond)+"\n")
	// Larger than what fits beside the envelope: the original goes to the blob store.
	mail("big", "big", "\n"+word(cBig)+"\n"+strings.Repeat(strings.Repeat("x", 70)+"\n", 6000))
	r.visit(word(cChatSub), word(cChatName), p.address, "it is me, "+word(cChatText), word(cChatFile)+".txt", []byte("what I mean: "+word(cChatBytes)+" and so on"))
	r.until("everything", "GetTimeline", `{"customerId":"`+p.customer+`","pageSize":200}`, func(v map[string]any) bool {
		s := text(v)
		for _, n := range []int{cText, cNote, cReplyText, cSecond, cBig, cChatText, cChatFile} {
			if !strings.Contains(s, word(n)) {
				return false
			}
		}
		return strings.Contains(s, "DELIVERY_STATE_SENT")
	})
	return p
}
