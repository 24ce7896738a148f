package mask

import (
	"regexp"
	"slices"
	"strings"
)

// rule is one kind of secret: what of a match is replaced, and by what. The
// expressions are RE2's, hence linear.
type rule struct {
	needs  []string // lower case, one of them in every match: most texts have none, and that is cheap to see
	match  *regexp.Regexp
	group  int // 0: all of it
	with   string
	within *regexp.Regexp // where given, what is replaced in the match; its group 1
}

// find looks in s; lower is s in lower case.
func (r rule) find(s, lower string) []edit {
	if !holdsOne(lower, r.needs) {
		return nil
	}
	var edits []edit
	for _, at := range r.match.FindAllStringSubmatchIndex(s, -1) {
		start, end := at[2*r.group], at[2*r.group+1]
		if r.within == nil {
			edits = append(edits, edit{start, end, r.with})
			continue
		}
		for _, in := range r.within.FindAllStringSubmatchIndex(s[start:end], -1) {
			edits = append(edits, edit{start + in[2], start + in[3], r.with})
		}
	}
	return edits
}

func holdsOne(s string, of []string) bool {
	return slices.ContainsFunc(of, func(w string) bool { return strings.Contains(s, w) })
}

// whole replaces a match, part its first group.
func whole(needs, with, expr string) rule {
	return rule{strings.Split(needs, "|"), regexp.MustCompile(expr), 0, with, nil}
}

func part(needs, with, expr string) rule {
	return rule{strings.Split(needs, "|"), regexp.MustCompile(expr), 1, with, nil}
}

const (
	maskedKey        = "[masked private key]"
	maskedCredential = "[masked credential]"
	maskedCookie     = "[masked cookie]"

	// Header fields that let somebody in; of HAR (HTTP Archive 1.2) and as they are sent.
	fieldCredential = `(?:proxy-)?authorization|x-api-key|api-key|x-auth-token|x-csrf-token|x-amz-security-token`
	jsonString      = `"((?:[^"\\]|\\.)+)"`
)

var rules = []rule{
	whole("private key", maskedKey, `(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----`),
	whole("private key", maskedKey, `-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[\s>|\\nr]*[A-Za-z0-9+/=]{8,})*`), // cut off

	part(`"value"`, maskedCredential, `(?i)"name"\s*:\s*"(?:`+fieldCredential+`)"\s*,\s*"value"\s*:\s*`+jsonString),
	part(`"value"`, maskedCredential, `(?i)"value"\s*:\s*`+jsonString+`\s*,\s*"name"\s*:\s*"(?:`+fieldCredential+`)"`),
	part("cookie", maskedCookie, `(?i)"name"\s*:\s*"(?:set-)?cookie"\s*,\s*"value"\s*:\s*`+jsonString),
	part("cookie", maskedCookie, `(?i)"value"\s*:\s*`+jsonString+`\s*,\s*"name"\s*:\s*"(?:set-)?cookie"`),
	{[]string{`"cookies"`}, regexp.MustCompile(`(?i)"cookies"\s*:\s*\[[^\]]+\]`), 0, maskedCookie, regexp.MustCompile(`(?i)"value"\s*:\s*` + jsonString)},

	part("authorization|x-|api-key", maskedCredential, `(?i)\b(?:`+fieldCredential+`)["']?\s*[:=]\s*["']?((?:basic|bearer|digest|token|negotiate|ntlm|apikey|aws4-hmac-sha256|hawk)\s+[^\r\n"']{6,}|[A-Za-z._~+/=-]*[0-9][A-Za-z0-9._~+/=-]{11,})`),
	part("cookie", maskedCookie, `(?i)\b(?:set-)?cookie["']?\s*:\s*["']?([!#$%&*+.^_|~0-9a-z-]+=[^\r\n"']*)`),
	part("bearer", "[masked token]", `(?i)\bbearer\s+([a-z0-9._~+/-]*[0-9][a-z0-9._~+/-]{15,}=*)`),

	whole("eyj", "[masked JWT]", `\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){4}`),                // JWE, RFC 7516
	whole("eyj", "[masked JWT]", `\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*`), // JWS, RFC 7515
	whole("akia|asia|abia|acca", "[masked AWS key]", `\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b`),
	part("aws", "[masked AWS key]", `(?i)aws.{0,20}(?:secret|session).{0,20}["'\s:=]+([A-Za-z0-9/+]{40,}=*)`),
	whole("gh", "[masked GitHub token]", `\bgh[pousr]_[A-Za-z0-9]{36,255}\b`),
	whole("github_pat_", "[masked GitHub token]", `\bgithub_pat_[A-Za-z0-9_]{22,255}\b`),
	whole("glpat-", "[masked GitLab token]", `\bglpat-[A-Za-z0-9_-]{20,}`),
	whole("xox", "[masked Slack token]", `\bxox[abeoprs]-[A-Za-z0-9-]{10,}`),
	whole("k_", "[masked Stripe key]", `\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}\b`),
	whole("aiza", "[masked Google key]", `\bAIza[A-Za-z0-9_-]{35}`),
	whole("npm_", "[masked npm token]", `\bnpm_[A-Za-z0-9]{36}\b`),
	whole("sg.", "[masked SendGrid key]", `\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}`),
}
