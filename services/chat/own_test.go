package chat_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAVisitorReadsHisOwnWordsAlone: what agents are told of his form, his address and his login in our words is not
// shown as what he said; what he answered to the question is.
func TestAVisitorReadsHisOwnWordsAlone(t *testing.T) {
	t.Parallel()
	given := frame{"type": "form", "client_id": clientID(1), "name": "Ada", "email": "ada@example.org", "question": "A kettle\nthat leaks", "consent": true}
	for name, c := range map[string]struct {
		settings map[string]string
		form     frame
		want     []string
	}{
		"with a question":  {map[string]string{"form_name": "optional", "form_email": "required", "form_question": "required", "form_consent": "Agree?"}, given, []string{"A kettle\nthat leaks", "hello"}},
		"a question alone": {map[string]string{"form_question": "required"}, given, []string{"A kettle\nthat leaks", "hello"}},
		"without":          {map[string]string{"form_email": "required", "form_consent": "Agree?"}, given, []string{"hello"}},
		"no form":          {nil, nil, []string{"hello"}},
	} {
		w := start(t, c.settings)
		v := w.visit(frame{})
		token := v.await("welcome").str("token")
		if c.form != nil {
			v.send(c.form)
			v.await("ack")
		}
		v.send(frame{"type": "email", "client_id": clientID(2), "address": "ada@example.org"})
		v.await("ack")
		v.send(message(3, "hello"))
		v.await("ack")
		again := w.visit(frame{"token": token})
		var got []string
		for f := again.await("messages"); ; f = again.await("messages") {
			list, _ := f["items"].([]any)
			for _, i := range list {
				text, _ := i.(map[string]any)["text"].(string)
				got = append(got, text)
			}
			if f["done"] == true {
				break
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}
