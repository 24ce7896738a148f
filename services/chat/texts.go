package chat

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/weftline/weftline/services/internal/inbox"
)

// Setting keys of what the widget says.
const (
	keyLanguage = "language"
	keyTexts    = "texts"
)

// languages the widget speaks: a dictionary of each is in dist.
var languages = []string{"en", "de", "fr", "es", "pt", "ar", "he", "ja"}

var languageWords = map[string]string{
	"auto": "The visitor's browser decides", "en": "English", "de": "Deutsch", "fr": "Français", "es": "Español", "pt": "Português",
	"ar": "العربية", "he": "עברית", "ja": "日本語",
}

// The site's own words, which may differ by language.
const (
	wordName     = "name"
	wordGreeting = "greeting"
	wordQuestion = "question"
	wordConsent  = "consent"
	wordClosed   = "closed"
)

var wordLimits = map[string]int{wordName: 100, wordGreeting: 500, wordQuestion: maxFormAsk, wordConsent: maxFormConsent, wordClosed: 500}

var textSettings = []inbox.Setting{
	{Key: keyLanguage, Label: "Language", Help: "auto: the visitor's browser decides. A page can choose with data-language on the script; that goes before this setting.", Default: "auto", Values: append([]string{"auto"}, languages...), Words: languageWords, Group: groupWords},
	{Key: keyTexts, Label: "Own words by language", Help: "One per line, such as “de.greeting = Hallo! Wie können wir helfen?”. Words: name (100 characters), greeting (500), question (200), consent (2000), closed (500: said outside business hours).", Group: groupWords, Lines: true},
}

// texts are the site's own words by language and word.
type texts map[string]string

func readTexts(get func(string) string) (language string, t texts, errs []error) {
	language = get(keyLanguage)
	if language == "auto" {
		language = ""
	} else if !slices.Contains(languages, language) {
		errs = append(errs, fmt.Errorf("%s: %q is not one of auto, %s", keyLanguage, language, strings.Join(languages, ", ")))
	}
	t = texts{}
	for i, line := range lines(get(keyTexts)) {
		key, text, ok := strings.Cut(line, "=")
		lang, word, dotted := strings.Cut(strings.TrimSpace(key), ".")
		text = strings.TrimSpace(text)
		limit, known := wordLimits[word]
		switch {
		case !ok || !dotted || !langForm(lang) || text == "":
			errs = append(errs, fmt.Errorf("%s: entry %d is not of the form de.greeting = text", keyTexts, i+1))
		case !known:
			errs = append(errs, fmt.Errorf("%s: entry %d: %q is not one of name, greeting, question, consent, closed", keyTexts, i+1, word))
		case utf8.RuneCountInString(text) > limit:
			errs = append(errs, fmt.Errorf("%s: entry %d: longer than %d characters", keyTexts, i+1, limit))
		case strings.ContainsFunc(text, unicode.IsControl):
			errs = append(errs, fmt.Errorf("%s: entry %d: has control characters", keyTexts, i+1))
		default:
			t[lang+"."+word] = text
		}
	}
	return language, t, errs
}

// word is what this site says in a language; "": the widget's own dictionary says it.
func (c *config) word(lang, word string) string {
	if t := c.Texts[lang+"."+word]; t != "" {
		return t
	}
	switch word {
	case wordName:
		return c.Name
	case wordGreeting:
		return c.Greeting
	case wordQuestion:
		return c.Form.Ask
	case wordConsent:
		return c.Form.Consent
	}
	return ""
}

// langForm: a primary language subtag of BCP 47, in lower case.
func langForm(s string) bool {
	return (len(s) == 2 || len(s) == 3) && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == ""
}

// lines of a setting, without empty ones. A form with one line per setting can say \n.
func lines(s string) (out []string) {
	for l := range strings.Lines(strings.ReplaceAll(s, `\n`, "\n")) {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}
