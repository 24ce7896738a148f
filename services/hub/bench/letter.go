package bench

import (
	"fmt"
	"strings"
	"time"
)

// letter is mail i of a round. The first mail of a customer opens a thread and
// the others answer in it.
func letter(round, i, senders int) []byte {
	who := i % senders
	id := func(i int) string { return fmt.Sprintf("<bench-%d-%d@mail.example.net>", round, i) }
	parent := ""
	if i >= senders {
		parent = id(who)
	}
	return compose(fmt.Sprintf("customer%d@example.net", who), fmt.Sprintf("Customer %d", who), fmt.Sprintf("Order %d", who), id(i), parent, i)
}

// compose is mail i: text and HTML, as mail programs write it, about 3 KB.
func compose(from, name, subject, id, parent string, i int) []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("Received: from mx.example.net (mx.example.net [192.0.2.7]) by mail.example.org with ESMTPS id %d", i)
	line("Authentication-Results: mail.example.org; spf=pass smtp.mailfrom=example.net; dkim=pass header.d=example.net")
	line("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=a; h=from:to:subject; bh=%s; b=%s", strings.Repeat("A", 43), strings.Repeat("B", 340))
	line("From: %q <%s>", name, from)
	line("To: Support <support@example.org>")
	line("Date: %s", time.Now().UTC().Format(time.RFC1123Z))
	line("Message-ID: %s", id)
	if parent != "" {
		line("In-Reply-To: %s", parent)
		line("References: %s", parent)
		subject = "Re: " + subject
	}
	line("Subject: %s", subject)
	line("MIME-Version: 1.0")
	line("Content-Type: multipart/alternative; boundary=\"b%d\"", i)
	line("")
	line("--b%d\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n", i)
	for range 6 {
		line("%s=20", filler)
	}
	line("--b%d\r\nContent-Type: text/html; charset=utf-8\r\n", i)
	line("<html><body>")
	for range 6 {
		line("<p style=\"margin:0\"><b>%d</b> %s</p>", i, filler)
	}
	line("</body></html>")
	line("--b%d--", i)
	return []byte(b.String())
}
