// Command contactform is a page with a contact form whose messages go to an
// inbox of the API channel: the smallest backend there is, to be read and copied.
//
//	CONTACT_SECRET=whsec_… go run ./pkg/client/contactform -hub http://127.0.0.1:8080 -inbox form -listen 127.0.0.1:8081
package main

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"flag"
	"html/template"
	"log"
	"net/http"
	"net/mail"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weftline/weftline/pkg/client"
)

//go:embed form.html
var pageSource string

var page = template.Must(template.New("form").Parse(pageSource))

func main() {
	hub := flag.String("hub", "http://127.0.0.1:8080", "the hub's `address`")
	inbox := flag.String("inbox", "form", "the `id` of its inbox; its setting vouch should be device")
	listen := flag.String("listen", "127.0.0.1:8081", "serve the form at this `address`")
	flag.Parse()
	form := &Form{Channel: &client.Channel{URL: *hub, Inbox: *inbox, Secret: os.Getenv("CONTACT_SECRET")}}
	server := &http.Server{Addr: *listen, Handler: form, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute}
	log.Printf("contact form: http://%s", *listen)
	log.Fatal(server.ListenAndServe())
}

// Limits of what is typed, in characters.
const (
	maxName    = 100
	maxSubject = 200
	maxMessage = 10_000
)

// Form serves the page and takes what is typed into it.
type Form struct {
	Channel interface {
		Post(ctx context.Context, e client.ChannelEvent) error
	}
}

// view is what the page shows.
type view struct {
	ID, Name, Email, Subject, Message string
	Wrong                             string // what is wrong with what was typed
	Sent                              bool
}

func (f *Form) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	switch {
	case r.URL.Path != "/":
		http.NotFound(w, r)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		// The id makes a message that is sent twice one message.
		f.show(w, http.StatusOK, view{ID: rand.Text()})
	case r.Method == http.MethodPost:
		f.take(w, r)
	default:
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "GET or POST", http.StatusMethodNotAllowed)
	}
}

func (f *Form) take(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 256<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	get := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	v := view{ID: get("id"), Name: get("name"), Email: get("email"), Subject: get("subject"), Message: get("message")}
	if v.Wrong = v.check(); v.Wrong != "" {
		f.show(w, http.StatusUnprocessableEntity, v)
		return
	}
	if get("website") != "" { // only robots see that field
		f.show(w, http.StatusOK, view{Sent: true})
		return
	}
	err := f.Channel.Post(r.Context(), client.ChannelEvent{
		Type: "message", ID: v.ID, Subject: v.Subject, Text: v.Message,
		// Nobody has logged in: every message is a visitor of his own. The address
		// is what somebody typed, so it is a claim, which the agent sees as one.
		From: &client.ChannelID{ID: "form-" + v.ID, Name: v.Name, Email: v.Email},
	})
	if err != nil {
		log.Printf("contact form: %v", err)
		v.Wrong = "Your message could not be stored. Please send it again."
		status := http.StatusBadGateway
		if errors.Is(err, client.ErrNotStored) {
			status = http.StatusServiceUnavailable
		}
		f.show(w, status, v)
		return
	}
	f.show(w, http.StatusOK, view{Sent: true})
}

// check says what is wrong in words for whoever typed it.
func (v *view) check() string {
	address, err := mail.ParseAddress(v.Email)
	switch {
	case len(v.ID) < 20 || len(v.ID) > 64 || strings.Trim(v.ID, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "":
		return "The form was too old. Please load it again."
	case err != nil || address.Address != v.Email || len(v.Email) > 254:
		return "E-mail: please give an address such as ada@example.org."
	case v.Message == "":
		return "Message: please write something."
	case utf8.RuneCountInString(v.Message) > maxMessage:
		return "Message: at most 10,000 characters."
	case utf8.RuneCountInString(v.Name) > maxName:
		return "Name: at most 100 characters."
	case utf8.RuneCountInString(v.Subject) > maxSubject:
		return "Subject: at most 200 characters."
	}
	return ""
}

func (f *Form) show(w http.ResponseWriter, status int, v view) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := page.Execute(w, v); err != nil {
		log.Printf("contact form: %v", err)
	}
}
