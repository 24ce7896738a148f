package email

import (
	"regexp"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
)

// bounce is what a delivery report says (RFC 3464, and what servers that know
// nothing of it write).
type bounce struct {
	state   channel.State
	detail  string
	reply   string // reply id of the mail it is about, proven by its token; "" when it cannot be tied
	message string // that mail's Message-ID

	diagnosed bool // detail has the other server's words
}

// readBounce returns nil when the mail is no delivery report.
func readBounce(tk tokens, tenant string, root *node, from string, text string) *bounce {
	report := root.ctype.value == "multipart/report" && (root.ctype.params["report-type"] == "" || strings.EqualFold(root.ctype.params["report-type"], "delivery-status"))
	var status *node
	var returned []*node
	root.walk(func(n *node) {
		switch n.ctype.value {
		case "message/delivery-status", "message/global-delivery-status":
			if status == nil {
				status = n
			}
		case "message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers":
			returned = append(returned, n)
		}
	})
	if strings.EqualFold(root.ctype.params["report-type"], "disposition-notification") {
		return nil // it was read (RFC 8098), by somebody it has reached
	}
	if status != nil && !report && !isDaemon(root.header, from) {
		return nil // somebody forwards a report
	}
	b := &bounce{state: channel.StateFailed}
	if status != nil {
		b.readStatus(status.content())
	}
	for _, n := range returned {
		h, _, err := splitHeader(n.content())
		if err == nil && b.tie(tk, tenant, firstID(h.get("message-id"))) {
			break
		}
	}
	if b.reply == "" { // qmail, Exim and others return the mail inside the text
		for _, m := range tokenInText.FindAllString(text, 20) {
			if b.tie(tk, tenant, m) {
				break
			}
		}
	}
	if status == nil && !complains(root.header, from, b.reply != "") {
		return nil
	}
	for _, id := range append(ids(root.header.get("in-reply-to")), ids(root.header.get("references"))...) {
		if b.reply != "" || b.tie(tk, tenant, id) {
			break
		}
	}
	if b.state != channel.StateDelivered && !b.diagnosed {
		// Some reports give the other server's words to people only.
		b.detail = strings.TrimSpace(b.detail + " " + firstReason(text))
	}
	if status == nil && delayed.MatchString(root.header.get("subject")) {
		b.state = channel.StateRetrying
	}
	b.detail = clip(addressLike.ReplaceAllString(toLine(b.detail), "…"), 400)
	return b
}

var (
	tokenInText  = regexp.MustCompile(`\bwl\.[A-Za-z0-9_-]{1,64}\.[0-9a-f]{32}\.[0-9a-f]{32}@[A-Za-z0-9.-]{1,253}`)
	addressLike  = regexp.MustCompile(`[^\s<>"'(),;:=]+@[^\s<>"'(),;:]+`)
	delayed      = regexp.MustCompile(`(?i)\b(delayed|delay|warning|verzögert|still trying)\b`)
	bounceTitle  = regexp.MustCompile(`(?i)(undeliver|returned mail|delivery (status|failure|has failed|problem)|mail delivery|failure notice|non remis|unzustellbar|zustellung|no entregad|impossible de remettre|mancata consegna|could not be delivered|не доставлено|rejected|delivery report|delivery notification)`)
	reasonInText = regexp.MustCompile(`(?m)(\b[45]\d\d[ -][^\n]{3,300}|\b[45]\.\d{1,3}\.\d{1,3}\b[^\n]{0,300})`)
)

func isDaemon(h header, from string) bool {
	return isDaemonName(localPart(from)) || nobodys(h) || h.has("x-failed-recipients")
}

func isDaemonName(local string) bool {
	return local == "postmaster" || strings.HasPrefix(local, "mailer-daemon") || strings.HasPrefix(local, "microsoftexchange")
}

func localPart(address string) string {
	local, _, _ := strings.Cut(strings.ToLower(address), "@")
	return local
}

// nobodys: an answer to it would reach nobody. Bounces have that, and so have
// out-of-office answers and read receipts (RFC 5230 §5.1, RFC 8098 §3).
func nobodys(h header) bool { return strings.TrimSpace(h.get("return-path")) == "<>" }

// complains says whether a mail without a delivery status is a bounce all the
// same. That it answers ours (In-Reply-To) says nothing: people and their
// out-of-office programs do, too. In doubt it is a message, which is shown.
func complains(h header, from string, returnsOurs bool) bool {
	if h.has("x-failed-recipients") {
		return true
	}
	local := localPart(from)
	if !isDaemonName(local) {
		return returnsOurs && nobodys(h) && !strings.HasPrefix(strings.ToLower(h.get("auto-submitted")), "auto-replied")
	}
	if local == "postmaster" && h.has("return-path") && !nobodys(h) {
		return false // a person's office
	}
	return returnsOurs || soundsLikeBounce(h)
}

func soundsLikeBounce(h header) bool {
	title := clip(decodeWords(clip(h.get("subject"), maxSubject)), maxSubject)
	return bounceTitle.MatchString(title) && !answerPrefix.MatchString(title)
}

func (b *bounce) tie(tk tokens, tenant, id string) bool {
	reply, _, ok := tk.verify(tenant, id, channel.Address{})
	if ok {
		b.reply, b.message = reply, id
	}
	return ok
}

// readStatus reads the groups of fields of a delivery status: the first is
// about the mail, each other about one recipient. We send to one, so the
// worst counts.
func (b *bounce) readStatus(content []byte) {
	rank := map[channel.State]int{channel.StateDelivered: 1, channel.StateRetrying: 2, channel.StateFailed: 3}
	best := 0
	for range 50 {
		if len(content) == 0 {
			break
		}
		h, rest, err := splitHeader(content)
		if err != nil || len(rest) == len(content) {
			break
		}
		content = rest
		state := channel.State("")
		switch action, _, _ := strings.Cut(strings.ToLower(h.get("action")), " "); action {
		case "failed":
			state = channel.StateFailed
		case "delayed":
			state = channel.StateRetrying
		case "delivered", "relayed", "expanded":
			state = channel.StateDelivered
		default:
			continue
		}
		if rank[state] <= best {
			continue
		}
		best, b.state = rank[state], state
		diag := h.get("diagnostic-code")
		if _, after, ok := strings.Cut(diag, ";"); ok {
			diag = after
		}
		b.diagnosed = strings.TrimSpace(diag) != ""
		b.detail = strings.TrimSpace(h.get("status") + " " + strings.TrimSpace(decodeWords(clip(diag, 1000))))
	}
}

func firstReason(text string) string {
	return strings.TrimSpace(reasonInText.FindString(clip(text, 1<<16)))
}
