package email

import "strings"

// author is who a mail says it is from.
type author struct {
	mailbox
	// ambiguous: another reader could find another address, or none.
	ambiguous bool
	// flags of an address that is clear, and of how it poses as another.
	flags []string
	count int // addresses read
}

// sender decides the one address a mail is from.
//
// The rule: the first mailbox of the first From field whose address can be
// one; without any, the first of Sender; without that, none. It is ambiguous
// when another reader could decide otherwise: several From fields or
// addresses, a group, an encoded word, a control character or a second @ in the
// address, a comment that does not end.
//
// A clear address is flagged where it deceives people: a display name that holds
// another address, a Sender of another domain, a domain in look-alike letters.
func sender(h header) (author, error) {
	var a author
	fields := h.all("from")
	a.ambiguous = len(fields) != 1
	var list []mailbox
	for i, f := range fields {
		more, err := parseAddresses(f, MaxAddresses-a.count)
		if err != nil {
			return author{ambiguous: true, count: a.count}, err
		}
		a.count += len(more)
		a.ambiguous = a.ambiguous || strings.ContainsFunc(f, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
		if i == 0 || len(list) == 0 {
			list = append(list, more...)
		}
	}
	if len(list) != 1 {
		a.ambiguous = true
	}
	for _, c := range list {
		if c.valid() {
			a.mailbox = c
			break
		}
		a.ambiguous = true
	}
	if a.addr == "" && len(list) > 0 {
		a.name = list[0].name
	}
	senders, err := parseAddresses(h.get("sender"), MaxAddresses-a.count)
	if err != nil {
		return author{ambiguous: true, count: a.count}, err
	}
	a.count += len(senders)
	if a.addr == "" {
		a.ambiguous = true
		for _, c := range senders {
			if c.valid() {
				a.mailbox = c
				break
			}
		}
	} else if len(senders) > 0 && !strings.EqualFold(domainOf(senders[0].addr), domainOf(a.addr)) {
		a.flags = append(a.flags, flagSenderDiffers)
	}
	a.ambiguous = a.ambiguous || a.odd
	if nameHoldsOther(a.mailbox) {
		a.flags = append(a.flags, flagNameIsAddress)
	}
	if a.addr != "" && mixedScript(domainOf(a.addr)) {
		a.flags = append(a.flags, flagMixedScript)
	}
	return a, nil
}

// unverified: it takes more than the mail itself to believe it.
func (a author) unverified() bool { return a.ambiguous || len(a.flags) > 0 }

// nameHoldsOther: the display name reads like an address that is not this one.
func nameHoldsOther(m mailbox) bool {
	for _, w := range strings.FieldsFunc(m.name, func(r rune) bool { return strings.ContainsRune(" \t<>()[]\"',;:", r) }) {
		at := strings.IndexAny(w, "@＠﹫")
		if at > 0 && strings.Contains(w[at:], ".") && !strings.EqualFold(strings.Trim(w, "."), m.addr) {
			return true
		}
	}
	return false
}

func domainOf(addr string) string { return addr[strings.LastIndexByte(addr, '@')+1:] }
