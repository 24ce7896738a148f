package chat

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Setting keys of the form before the chat.
const (
	keyFormName     = "form_name"
	keyFormEmail    = "form_email"
	keyFormPhone    = "form_phone"
	keyFormQuestion = "form_question"
	keyFormAsk      = "form_question_text"
	keyFormConsent  = "form_consent"
)

// Limits of what is typed into it.
const (
	maxFormName     = 120   // characters
	maxFormEmail    = 254   // bytes
	maxFormPhone    = 15    // digits
	maxFormQuestion = 2_000 // characters
	maxFormAsk      = 200   // characters, of the setting
	maxFormConsent  = 2_000 // characters, of the setting
)

// Fields of the form, in the order they are asked.
const (
	fieldName     = "name"
	fieldEmail    = "email"
	fieldPhone    = "phone"
	fieldQuestion = "question"
	fieldConsent  = "consent"
)

var (
	asked      = []string{"off", "optional", "required"}
	askedWords = map[string]string{"off": "No", "optional": "Optional", "required": "Required"}
)

var formSettings = []inbox.Setting{
	{Key: keyFormName, Label: "Form: name", Help: "Asked before the chat. What is typed there is shown to agents as claimed and proves nothing. Visitors with a login are not asked.", Default: "off", Values: asked, Words: askedWords, Group: groupBefore},
	{Key: keyFormEmail, Label: "Form: e-mail address", Help: "Asked before the chat; a claim, until the visitor proves it.", Default: "off", Values: asked, Words: askedWords, Group: groupBefore},
	{Key: keyFormPhone, Label: "Form: phone number", Help: "Asked before the chat, in international form beginning with +; a claim.", Default: "off", Values: asked, Words: askedWords, Group: groupBefore},
	{Key: keyFormQuestion, Label: "Form: question", Help: "A question of your own, answered in at most 2000 characters.", Default: "off", Values: asked, Words: askedWords, Group: groupBefore},
	{Key: keyFormAsk, Label: "Form: the question's words", Help: "At most 200 characters. Empty: “How can we help?” in the visitor's language.", Group: groupBefore, When: inbox.When{Key: keyFormQuestion, Is: []string{"optional", "required"}}},
	{Key: keyFormConsent, Label: "Form: consent", Help: "What a visitor must agree to before he may write, at most 2000 characters; kept with his answers. Empty: nothing is asked.", Group: groupBefore, Lines: true},
}

// form is what is asked before the chat.
type form struct {
	Fields  []formField
	Ask     string // words of the question; "": the widget's own
	Consent string // "": none
}

type formField struct {
	Name     string
	Required bool
}

// answers are what a visitor gave, checked.
type answers struct {
	Name, Email, Phone, Question string
	Consent                      bool
}

func readForm(get func(string) string) (f form, errs []error) {
	for _, s := range []struct{ key, name string }{
		{keyFormName, fieldName}, {keyFormEmail, fieldEmail}, {keyFormPhone, fieldPhone}, {keyFormQuestion, fieldQuestion},
	} {
		switch v := get(s.key); v {
		case "optional", "required":
			f.Fields = append(f.Fields, formField{Name: s.name, Required: v == "required"})
		case "off":
		default:
			errs = append(errs, fmt.Errorf("%s: %q is not one of off, optional, required", s.key, v))
		}
	}
	if f.Ask = get(keyFormAsk); utf8.RuneCountInString(f.Ask) > maxFormAsk {
		errs = append(errs, fmt.Errorf("%s: longer than %d characters", keyFormAsk, maxFormAsk))
	}
	if f.Consent = get(keyFormConsent); utf8.RuneCountInString(f.Consent) > maxFormConsent {
		errs = append(errs, fmt.Errorf("%s: longer than %d characters", keyFormConsent, maxFormConsent))
	}
	return f, errs
}

func (f form) empty() bool { return len(f.Fields) == 0 && f.Consent == "" }

// missing is the first thing that must be answered and was not; "": nothing.
func (f form) missing(given []string) string {
	for _, x := range f.Fields {
		if x.Required && !slices.Contains(given, x.Name) {
			return x.Name
		}
	}
	if f.Consent != "" && !slices.Contains(given, fieldConsent) {
		return fieldConsent
	}
	return ""
}

// pending says whether a visitor who gave these answers is shown the form: it
// was never shown to him, or has a new question that must be answered.
func (f form) pending(v visitorState) bool {
	return !f.empty() && (!v.Asked || f.missing(v.Given) != "")
}

// read checks what a frame gives for the fields that are asked; others are not
// looked at. The error names field and limit.
func (f form) read(in clientFrame) (a answers, given []string, err error) {
	for _, x := range f.Fields {
		v := ""
		switch x.Name {
		case fieldName:
			v = strings.Join(strings.Fields(in.Name), " ")
			if v != "" && !cleanClaim(v, maxFormName) {
				return a, nil, &frameError{Field: x.Name, Limit: maxFormName}
			}
			a.Name = v
		case fieldEmail:
			v = strings.TrimSpace(in.Email)
			if v != "" && !validEmail(v) {
				return a, nil, &frameError{Field: x.Name, Limit: maxFormEmail}
			}
			a.Email = v
		case fieldPhone:
			v = phone(in.Phone)
			if v == "" && strings.TrimSpace(in.Phone) != "" {
				return a, nil, &frameError{Field: x.Name, Limit: maxFormPhone}
			}
			a.Phone = v
		case fieldQuestion:
			v = cleanText(in.Question)
			if utf8.RuneCountInString(v) > maxFormQuestion {
				return a, nil, &frameError{Field: x.Name, Limit: maxFormQuestion}
			}
			a.Question = v
		}
		if v != "" {
			given = append(given, x.Name)
		} else if x.Required {
			return a, nil, &frameError{Field: x.Name, Missing: true}
		}
	}
	if f.Consent != "" {
		if !in.Consent {
			return a, nil, &frameError{Field: fieldConsent, Missing: true}
		}
		a.Consent, given = true, append(given, fieldConsent)
	}
	return a, given, nil
}

// phone is an international number as handles have it; "" for what is none.
func phone(s string) string {
	if len(s) > 64 || !strings.HasPrefix(strings.TrimSpace(s), "+") {
		return ""
	}
	n := handleid.Normalise("phone", s)
	digits := strings.TrimPrefix(n, "+")
	if !strings.HasPrefix(n, "+") || len(digits) < 5 || len(digits) > maxFormPhone || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	return n
}

// askedOf says what is asked of this visitor before he may write; nil: nothing.
// Whoever has a login is known already.
func (s *session) askedOf(ctx context.Context, c *config) (*formFrame, error) {
	if c.Form.empty() || s.login != nil {
		return nil, nil
	}
	var v visitorState
	if _, err := s.a.load(ctx, colVisitor, s.inbox+"/"+s.visitor, &v); err != nil {
		return nil, err
	}
	if !c.Form.pending(v) {
		return nil, nil
	}
	out := &formFrame{Fields: []formFieldFrame{}, Question: c.word(s.lang, wordQuestion), Consent: c.word(s.lang, wordConsent)}
	for _, x := range c.Form.Fields {
		out.Fields = append(out.Fields, formFieldFrame(x))
	}
	return out, nil
}

// unanswered is what this visitor must answer before he may write; "": nothing.
func (s *session) unanswered(ctx context.Context, c *config) (string, error) {
	if c.Form.empty() || s.login != nil || c.Form.missing(s.given) == "" {
		return "", nil
	}
	var v visitorState // he may have answered in another tab
	if _, err := s.a.load(ctx, colVisitor, s.inbox+"/"+s.visitor, &v); err != nil {
		return "", err
	}
	s.given = v.Given
	return c.Form.missing(s.given), nil
}

// noteAnswers remembers what was answered, never what the answers were.
func (a *Adapter) noteAnswers(ctx context.Context, s *session, given []string) error {
	id := s.inbox + "/" + s.visitor
	defer a.locks.lock(id)()
	var v visitorState
	if _, err := a.load(ctx, colVisitor, id, &v); err != nil {
		return err
	}
	v.Asked = true
	for _, g := range given {
		if !slices.Contains(v.Given, g) {
			v.Given = append(v.Given, g)
		}
	}
	s.given = v.Given
	return a.store(ctx, colVisitor, id, v)
}
