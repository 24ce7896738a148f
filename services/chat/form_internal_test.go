package chat

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// What is taken of a form is within its limits, in one line where it is one
// line, and everything required is there.
func FuzzForm(f *testing.F) {
	f.Add("Ada Obi", "ada@example.org", "+49 30 123456", "A kettle\nof mine", true)
	f.Add("A\u202eda", "x", "+1", "\x00", false)
	f.Add(" ", `"a b"@example.org`, "+٤٩٣٠١٢٣٤٥٦", strings.Repeat("x", 2001), true)
	all := form{Fields: []formField{{fieldName, true}, {fieldEmail, true}, {fieldPhone, false}, {fieldQuestion, false}}, Consent: "yes?"}
	f.Fuzz(func(t *testing.T, name, email, phone, question string, consent bool) {
		a, given, err := all.read(clientFrame{Name: name, Email: email, Phone: phone, Question: question, Consent: consent})
		if err != nil {
			if bad := new(frameError); !errors.As(err, &bad) || bad.Garbage || bad.Field == "" || bad.Limit == 0 && !bad.Missing {
				t.Fatalf("%v names no field or limit", err)
			}
			return
		}
		if all.missing(given) != "" || !slices.Contains(given, fieldConsent) || !a.Consent {
			t.Fatalf("%v is taken with %v", a, given)
		}
		oneLine := func(s string) bool { return !strings.ContainsFunc(s, unicode.IsControl) }
		if !utf8.ValidString(a.Name) || utf8.RuneCountInString(a.Name) > maxFormName || !oneLine(a.Name) || !validEmail(a.Email) || !oneLine(a.Email) {
			t.Fatalf("%+v", a)
		}
		if a.Phone != "" && (a.Phone[0] != '+' || len(a.Phone) > 1+maxFormPhone || strings.Trim(a.Phone[1:], "0123456789") != "") {
			t.Fatalf("phone %q", a.Phone)
		}
		if utf8.RuneCountInString(a.Question) > maxFormQuestion {
			t.Fatalf("question of %d characters", utf8.RuneCountInString(a.Question))
		}
	})
}
