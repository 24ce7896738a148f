package email

import (
	"regexp"
	"strings"
	"unicode"
)

// SplitQuote parts what was written now from the history a mail program
// appended. Nothing is lost: every line of s is in text or in quoted, in its
// order. When in doubt it stays in text: answers between quoted lines, and
// forwarded messages, are not folded; and text is never empty when s is not.
// Linear in s.
func SplitQuote(s string) (text, quoted string) {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	from, to := findQuote(lines)
	text = trimBlankLines(strings.Join(append(append([]string{}, lines[:from]...), lines[to:]...), "\n"))
	quoted = trimBlankLines(strings.Join(lines[from:to], "\n"))
	if strings.TrimSpace(text) == "" {
		return trimBlankLines(strings.Join(lines, "\n")), ""
	}
	return text, quoted
}

// splitAt parts s where the markup says the history begins.
func splitAt(s string, at int) (text, quoted string) {
	text, quoted = trimBlankLines(s[:at]), trimBlankLines(s[at:])
	first, _, _ := strings.Cut(strings.TrimSpace(quoted), "\n")
	if strings.TrimSpace(text) == "" || forwardLine.MatchString(unquoteLine(first)) {
		return trimBlankLines(s), ""
	}
	// The line that introduces the quote often stands before its container.
	lines := strings.Split(text, "\n")
	for n := 1; n <= 3 && n < len(lines); n++ {
		if isAttribution(strings.Join(lines[len(lines)-n:], " ")) {
			head := trimBlankLines(strings.Join(lines[:len(lines)-n], "\n"))
			if strings.TrimSpace(head) == "" {
				break
			}
			return head, strings.Join(lines[len(lines)-n:], "\n") + "\n" + quoted
		}
	}
	return text, quoted
}

// findQuote returns the lines [from,to) that are history; from == to when none.
func findQuote(lines []string) (from, to int) {
	end := len(lines)
	lastPlain := -1 // last line that is neither quoted nor blank
	for i, l := range lines {
		if !isQuoted(l) && strings.TrimSpace(l) != "" {
			lastPlain = i
		}
	}
	seenQuoted := false
	for i := range lines {
		line := lines[i]
		if isQuoted(line) {
			seenQuoted = true
			continue
		}
		t := strings.TrimSpace(line)
		if t == "" || len(t) > 500 {
			continue
		}
		if forwardLine.MatchString(t) {
			return end, end
		}
		if originalLine.MatchString(t) || isRule(t) && headerBlock(lines, i+1) || headerBlock(lines, i) {
			return i, end
		}
		n, bare := attributionAt(lines, i)
		if n == 0 {
			continue
		}
		next := i + n
		for next < end && strings.TrimSpace(lines[next]) == "" {
			next++
		}
		if next < end && isQuoted(lines[next]) {
			if lastPlain < next {
				return i, end
			}
			if !seenQuoted && blankBefore(lines, i) {
				if stop := leadingQuote(lines, next); stop > 0 {
					return i, stop // the answer stands below the quote
				}
			}
			return end, end // answers between the quoted lines
		}
		if bare && next < end {
			return i, end // quoted without marks, as HTML turned into text is
		}
	}
	// A quote at the end that nothing introduces.
	if lastPlain >= 0 && lastPlain+1 < end {
		start := lastPlain + 1
		for _, l := range lines[:lastPlain+1] {
			if isQuoted(l) {
				return end, end // an answer between the quoted lines
			}
		}
		return start, end
	}
	return end, end
}

// leadingQuote finds the end of the quote that begins at i; when quoted lines
// come again later the answer is between them and nothing is folded (-1).
func leadingQuote(lines []string, i int) int {
	j := i
	for j < len(lines) && (isQuoted(lines[j]) || strings.TrimSpace(lines[j]) == "") {
		j++
	}
	for _, l := range lines[j:] {
		if isQuoted(l) {
			return -1
		}
	}
	return j
}

func blankBefore(lines []string, i int) bool {
	for _, l := range lines[:i] {
		if strings.TrimSpace(l) != "" {
			return false
		}
	}
	return true
}

func isQuoted(line string) bool {
	t := strings.TrimLeft(line, " \t")
	return strings.HasPrefix(t, ">") && !strings.HasPrefix(t, ">>>>>>> ")
}

func unquoteLine(s string) string { return strings.TrimLeft(s, "> \t") }

func isRule(t string) bool {
	return len(t) >= 10 && strings.Trim(t, "_-—─=* ") == ""
}

// attributionAt reads up to three lines (they are wrapped) as "On …, … wrote:".
func attributionAt(lines []string, i int) (n int, bare bool) {
	joined := ""
	for n = 1; n <= 3 && i+n <= len(lines); n++ {
		l := strings.TrimSpace(lines[i+n-1])
		if l == "" || isQuoted(l) || len(joined)+len(l) > 400 {
			break
		}
		joined += " " + l
		if isAttribution(joined) {
			return n, strings.ContainsAny(joined, "0123456789") && (strings.Contains(joined, "@") || startsDated(joined))
		}
	}
	return 0, false
}

// isAttribution: a line that ends with a colon and says in one of many
// languages that somebody wrote, or one that ends with an address and a colon after a date.
func isAttribution(s string) bool {
	s = strings.TrimSpace(strings.Trim(strings.TrimSpace(s), "*_"))
	if len(s) > 400 || len(s) < 4 {
		return false
	}
	if !strings.HasSuffix(s, ":") && !strings.HasSuffix(s, "：") {
		// Japanese and some Turkish programs leave the colon out.
		return wroteNoColon.MatchString(s)
	}
	return wrote.MatchString(s) || datedAddress.MatchString(s)
}

func startsDated(s string) bool { return datedStart.MatchString(strings.TrimSpace(s)) }

var (
	wrote = regexp.MustCompile(`(?i)(\bwrote|\bschrieb\b.*|\ba écrit|\bécrit|\bescribió|\bescribio|\bha scritto|\bscrisse|\bescreveu|\bschreef\b.*|\bgeschreven|` +
		`\bskrev\b.*|kirjoitti|\bnapsala?\b.*|\bnapísala?\b.*|\bnapsal\(a\)|\bpisze|\bnapisała?|\bnapisał\(a\)|\ba scris|írta|\bje napisao|\bje napisala|\bnapisao/la|` +
		`\bnapisao|\bwrites|пише|пишет|написала?|написал\(а\)|написав|έγραψε|yazdı|\bđã viết|\bmenulis|写道|寫道|写到|のメール|書きました|wrote \(.*\)|님이 작성|작성|כתב|כתבה|كتب|\bva escriure|\bidatzi zuen|\brašė|\bkirjutas|\brakstīja|เขียน)\s*[:：]$`)
	wroteNoColon = regexp.MustCompile(`(<[^<>@\s]+@[^<>@\s]+>|@[^\s]+).*(tarihinde şunu yazdı|のメール|さんは書きました|は書きました)$`)
	datedAddress = regexp.MustCompile(`\d{1,2}[:.]\d{2}.*<[^<>@\s]+@[^<>@\s]+>\s*[:：]$`)
	datedStart   = regexp.MustCompile(`(?i)^(on|am|le|el|il|em|op|den|w dniu|dne|dňa|v|la|pe|vào|pada|στις|в|на|于|在|,?\d{4}|\d{1,2}[./-]\d|mon|tue|wed|thu|fri|sat|sun)[\s,\d.]`)

	originalLine = regexp.MustCompile(`(?i)^[-_*>\s]*-{2,}\s*(original message|original appointment|ursprüngliche nachricht|originalnachricht|message d['’]origine|message original|mensaje original|messaggio originale|mensagem original|` +
		`oorspronkelijk bericht|originalmeddelande|ursprungligt meddelande|oprindelig meddelelse|opprinnelig melding|alkuperäinen viesti|původní zpráva|wiadomość oryginalna|eredeti üzenet|mesaj original|исходное сообщение|оригинальное сообщение|原始邮件|原始郵件|元のメッセージ|원본 메시지|orijinal mesaj|הודעה מקורית|الرسالة الأصلية)\s*-*\s*$`)
	forwardLine = regexp.MustCompile(`(?i)^[-_*>\s]*(-{2,}\s*(forwarded message|weitergeleitete nachricht|message transféré|message transmis|mensaje reenviado|messaggio inoltrato|mensagem encaminhada|doorgestuurd bericht|vidarebefordrat meddelande|videresendt meddelelse|przekazana wiadomość|přeposlaná zpráva|пересылаемое сообщение|переадресованное сообщение|转发邮件|转发的邮件|轉寄|転送メッセージ|전달된 메시지|iletilen mesaj)|begin forwarded message|anfang der weitergeleiteten nachricht|début du message réexpédié|inizio messaggio inoltrato|inicio del mensaje reenviado)`)
)

// The names that begin the lines of a header block, lower case.
var (
	headFrom = wordSet(`from|von|de|da|van|från|fra|lähettäjä|od|от|від|feladó|kimden|发件人|寄件者|差出人|보낸 사람|من|מאת|από|expéditeur|remitente|mittente|afzender`)
	headSent = wordSet(`sent|date|gesendet|datum|envoyé|envoye|enviado el|enviado|enviada|fecha|inviato|data|verzonden|skickat|sendt|dato|lähetetty|päiväys|odesláno|wysłano|отправлено|дата|надіслано|elküldve|gönderildi|gönderilme tarihi|tarih|发送时间|日期|寄件日期|傳送時間|送信日時|日付|보낸 날짜|날짜|تاريخ|נשלח|στάλθηκε`)
	headTo   = wordSet(`to|an|à|a|para|aan|till|til|vastaanottaja|komu|do|кому|címzett|kime|收件人|宛先|받는 사람|إلى|אל|προς|destinataire|cc|subject|betreff|objet|asunto|oggetto|assunto|onderwerp|ämne|emne|aihe|předmět|temat|тема|tárgy|konu|主题|主旨|件名|제목|الموضوع|נושא|θέμα`)
)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.SplitSeq(list, "|") {
		set[w] = true
	}
	return set
}

// headName is the name before a line's first colon: "*Von:* Ada" gives "von".
func headName(line string) string {
	head := clip(line, 80)
	i := strings.IndexAny(head, ":：")
	if i <= 0 {
		return ""
	}
	return strings.ToLower(strings.TrimFunc(head[:i], func(r rune) bool { return !unicode.IsLetter(r) }))
}

// headerBlock: the From/Sent/To block that Outlook puts above a quote.
func headerBlock(lines []string, i int) bool {
	for i < len(lines) && strings.TrimSpace(lines[i]) == "" {
		i++
	}
	if i >= len(lines) || !headFrom[headName(lines[i])] {
		return false
	}
	sent, to := false, false
	for _, l := range lines[i+1 : min(i+7, len(lines))] {
		name := headName(l)
		sent = sent || headSent[name]
		to = to || headTo[name]
	}
	return sent && to
}

func trimBlankLines(s string) string {
	for {
		line, rest, ok := strings.Cut(s, "\n")
		if !ok || strings.TrimSpace(line) != "" {
			break
		}
		s = rest
	}
	return strings.TrimRight(s, " \t\r\n")
}
