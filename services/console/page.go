package console

import (
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/weftline/weftline/services/internal/audit"
)

//go:embed page/*.html page/page.css
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "page/*.html"))

type pageData struct {
	Workspace, Error, Next, Name, Email string
	Password                            bool
	Demo                                bool
}

func (c *Console) render(w http.ResponseWriter, status int, name string, d pageData) {
	d.Workspace, d.Demo = c.cfg.Workspace, c.cfg.DemoURL != ""
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := pages.ExecuteTemplate(w, name, d); err != nil {
		c.deps.Log.Error("page could not be rendered", "page", name, "error", err)
	}
}

// setupPage is the first run: it makes the owner, once.
func (c *Console) setupPage(w http.ResponseWriter, r *http.Request) {
	exists, err := c.agents.any(r.Context())
	if err != nil {
		c.fail(w, "agents could not be read", err)
		return
	}
	if exists {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	c.render(w, http.StatusOK, "setup.html", pageData{})
}

func (c *Console) setup(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	name, email, password := r.PostFormValue("name"), r.PostFormValue("email"), r.PostFormValue("password")
	a, err := c.agents.createOwner(r.Context(), name, email, password)
	switch {
	case errors.Is(err, errSetupDone):
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	case err != nil:
		c.render(w, http.StatusUnprocessableEntity, "setup.html", pageData{Error: err.Error(), Name: name, Email: email})
		return
	}
	if err := c.did(as(r, a.ID), audit.Entry{Action: audit.RightAgentAdded, Object: a.ID, IDs: map[string]string{"role": "owner"}}, nil); err != nil {
		c.unavailable(w)
		return
	}
	c.begin(w, r, a, "/")
}

func (c *Console) loginPage(w http.ResponseWriter, r *http.Request) {
	if exists, err := c.agents.any(r.Context()); err == nil && !exists {
		http.Redirect(w, r, "/setup", http.StatusSeeOther)
		return
	}
	c.render(w, http.StatusOK, "login.html", pageData{Next: safeNext(r.FormValue("next"))})
}

// login answers an unknown address and a wrong password alike, in the same time.
func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	email, password, next := r.PostFormValue("email"), r.PostFormValue("password"), safeNext(r.PostFormValue("next"))
	a, err := c.agents.byEmail(r.Context(), email)
	if !c.limiter.allow(email, clientNetwork(r), c.device(r, a)) {
		c.metrics.authFailures.WithLabelValues("limited").Inc()
		c.noted(r, audit.Entry{Action: audit.LoginLimited, Outcome: audit.OutcomeRefused, Reason: "resource_exhausted"})
		w.Header().Set("Retry-After", "30")
		c.render(w, http.StatusTooManyRequests, "login.html", pageData{Error: "Too many attempts. Wait 30 seconds, then try again.", Email: email, Next: next})
		return
	}
	stored := a.Password
	if err != nil {
		stored = nobody()
	}
	right, busy := c.gate.verify(r.Context(), stored, password)
	if busy != nil {
		c.metrics.authFailures.WithLabelValues("busy").Inc()
		w.Header().Set("Retry-After", "5")
		c.render(w, http.StatusServiceUnavailable, "login.html", pageData{Error: "Many people are logging in just now. Try again in a few seconds.", Email: email, Next: next})
		return
	}
	if !right || err != nil || a.Disabled {
		c.metrics.authFailures.WithLabelValues("password").Inc()
		c.noted(r, audit.Entry{Action: audit.LoginFailed, Object: a.ID, Outcome: audit.OutcomeRefused, Reason: whyRefused(a, err, right)})
		c.render(w, http.StatusUnauthorized, "login.html", pageData{Error: "E-mail address or password is wrong.", Email: email, Next: next})
		return
	}
	c.begin(w, r, a, next)
}

// whyRefused is for the audit log alone.
func whyRefused(a agentDoc, err error, right bool) string {
	switch {
	case err != nil:
		return "unknown_agent"
	case a.Disabled && right:
		return "disabled"
	}
	return "password"
}

// begin lets an agent in. Nobody gets in unrecorded.
func (c *Console) begin(w http.ResponseWriter, r *http.Request, a agentDoc, next string) {
	if err := c.did(as(r, a.ID), audit.Entry{Action: audit.Login}, nil); err != nil {
		c.unavailable(w)
		return
	}
	sec, err := c.sessions.create(r.Context(), a.ID)
	if err != nil {
		c.fail(w, "session could not be stored", err)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: c.cookieName(), Value: sec, Path: "/", HttpOnly: true, Secure: c.tls(),
		SameSite: http.SameSiteLaxMode, MaxAge: int(SessionAge / time.Second),
	})
	http.SetCookie(w, c.rememberDevice(a))
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request) {
	if ck, err := r.Cookie(c.cookieName()); err == nil {
		if id, err := c.sessions.agent(r.Context(), ck.Value); err == nil {
			defer c.sockets.close(id, "")
			defer func() { _ = c.did(as(r, id), audit.Entry{Action: audit.Logout}, nil) }() // he is out either way
		}
		if err := c.sessions.end(r.Context(), ck.Value); err != nil {
			c.fail(w, "session could not be ended", err)
			return
		}
	}
	http.SetCookie(w, &http.Cookie{Name: c.cookieName(), Path: "/", MaxAge: -1, HttpOnly: true, Secure: c.tls(), SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (c *Console) fail(w http.ResponseWriter, what string, err error) {
	c.deps.Log.Error(what, "error", err)
	http.Error(w, "Something went wrong on our side. Try again.", http.StatusInternalServerError)
}

// unavailable: the audit log cannot be written; why was logged.
func (c *Console) unavailable(w http.ResponseWriter) {
	http.Error(w, "This cannot be recorded just now. Try again in a minute.", http.StatusServiceUnavailable)
}

// safeNext allows paths of this site only.
func safeNext(next string) string {
	u, err := url.Parse(next)
	if err != nil || next == "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, "\\") || u.Host != "" {
		return "/"
	}
	return next
}
