package resolve

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/weftline/weftline/services/internal/blocklist"
)

//go:embed rules.yaml
var builtIn []byte

// What can happen that says something about two customers.
const (
	WhenProof     = "proof"
	WhenAsserted  = "asserted"
	WhenSameClaim = "same_claim"
	WhenVariant   = "variant"
)

// What a rule can lead to.
const (
	OutcomeLink    = "link"
	OutcomeSuggest = "suggest"
)

// leastLevel is what both sides need for a link, whatever a file says.
const leastLevel = 2

// Rules decide. Make them by Load or Parse; then read only.
type Rules struct {
	Rules   []Rule   `yaml:"rules"`
	Limits  Limits   `yaml:"limits"`
	Shared  Shared   `yaml:"shared"`
	Blocked []string `yaml:"blocked"` // names of lists

	source []byte
	digest string
}

// Rule is one of them; the first that fits decides.
type Rule struct {
	Name    string   `yaml:"name"`
	Version int      `yaml:"version"`
	When    string   `yaml:"when"`
	Kinds   []string `yaml:"kinds"` // of handles; empty: all
	Claim   int      `yaml:"claim"` // least level of what is said
	Owner   int      `yaml:"owner"` // least level of the owner's handle
	Outcome string   `yaml:"outcome"`
}

// String is name@version.
func (r Rule) String() string { return r.Name + "@" + strconv.Itoa(r.Version) }

// Limits bound a person who is made without an agent.
type Limits struct {
	Members    int              `yaml:"members"`
	Handles    int              `yaml:"handles"`
	Kinds      map[string]Limit `yaml:"kinds"`
	Logins     []string         `yaml:"logins"`
	Candidates int              `yaml:"candidates"`
}

// Limit of handles of a kind.
type Limit struct {
	Max int    `yaml:"max"`
	Per string `yaml:"per"` // "": of the person; "scope": of each issuer or account
}

// Shared says when a handle is nobody's alone.
type Shared struct {
	Owners int `yaml:"owners"`
	Level  int `yaml:"level"`
}

// BuiltIn are the rules of this version of the hub.
func BuiltIn() *Rules {
	r, err := Parse(builtIn)
	if err != nil {
		panic(err) // a test reads them
	}
	return r
}

// Load reads a file; "" means BuiltIn.
func Load(path string) (*Rules, error) {
	if path == "" {
		return BuiltIn(), nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("identity rules: %w", err)
	}
	r, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("identity rules %s: %w", path, err)
	}
	return r, nil
}

// Parse reads YAML. The error names everything that is wrong.
func Parse(source []byte) (*Rules, error) {
	r := &Rules{source: source}
	d := yaml.NewDecoder(bytes.NewReader(source))
	d.KnownFields(true)
	if err := d.Decode(r); err != nil {
		return nil, unreadable(err)
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(source)
	r.digest = hex.EncodeToString(sum[:8])
	return r, nil
}

// ofOurs is what a decoder says of our own types.
var ofOurs = regexp.MustCompile(` (in type|into) \S*resolve\.\S+`)

// unreadable says in words what is wrong with a file.
func unreadable(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty: it needs rules, limits and shared, as `hub identity rules` prints them")
	}
	kind, ok := errors.AsType[*yaml.TypeError](err)
	if !ok {
		return err
	}
	lines := make([]string, len(kind.Errors))
	for i, e := range kind.Errors {
		lines[i] = ofOurs.ReplaceAllString(strings.Replace(e, "cannot unmarshal", "not allowed here:", 1), "")
	}
	return errors.New(strings.Join(lines, "; ") + "; what is allowed, `hub identity rules` prints")
}

// Source is the YAML they were read from.
func (r *Rules) Source() []byte { return r.source }

// Digest names them: equal files have equal digests.
func (r *Rules) Digest() string { return r.digest }

var ruleName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

func (r *Rules) check() error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(r.Rules) == 0 {
		complain("rules: there are none")
	}
	seen := map[string]bool{}
	for i, u := range r.Rules {
		at := fmt.Sprintf("rules[%d] %q", i, u.Name)
		if !ruleName.MatchString(u.Name) || u.Name == "agent" || seen[u.Name] {
			complain(`%s: name must be 1 to 64 of a-z 0-9 -, not "agent", and not twice`, at)
		}
		seen[u.Name] = true
		if u.Version < 1 {
			complain("%s: version must be 1 or more", at)
		}
		if !slices.Contains([]string{WhenProof, WhenAsserted, WhenSameClaim, WhenVariant}, u.When) {
			complain("%s: when must be proof, asserted, same_claim or variant, is %q", at, u.When)
		}
		if u.Claim < 0 || u.Claim > 4 || u.Owner < 0 || u.Owner > 4 {
			complain("%s: claim and owner must be 0 to 4", at)
		}
		switch {
		case u.Outcome == OutcomeSuggest:
		case u.Outcome != OutcomeLink:
			complain("%s: outcome must be link or suggest, is %q", at, u.Outcome)
		case u.When == WhenSameClaim || u.When == WhenVariant:
			complain("%s: %s can only suggest", at, u.When)
		case u.Claim < leastLevel || u.Owner < leastLevel:
			complain("%s: a link needs claim and owner of at least %d", at, leastLevel)
		}
	}
	if r.Limits.Members < 2 || r.Limits.Handles < 2 || r.Limits.Candidates < 1 {
		complain("limits: members and handles must be at least 2, candidates at least 1")
	}
	for kind, l := range r.Limits.Kinds {
		if l.Max < 1 || l.Per != "" && l.Per != "scope" {
			complain(`limits.kinds.%s: max must be at least 1, per empty or "scope"`, kind)
		}
	}
	if r.Shared.Owners < 2 || r.Shared.Level < leastLevel || r.Shared.Level > 4 {
		complain("shared: owners must be at least 2, level %d to 4", leastLevel)
	}
	return errors.Join(errs...)
}

// blocks says whether a list's addresses are no evidence: those the rules name,
// and always what is our own.
func (r *Rules) blocks(list string) bool {
	return list == blocklist.Own || list != "" && slices.Contains(r.Blocked, list)
}

// rule finds the first that fits.
func (r *Rules) rule(f Fact) (Rule, bool) {
	i := slices.IndexFunc(r.Rules, func(u Rule) bool {
		return u.When == f.When && f.Claim >= u.Claim && f.Owner >= u.Owner &&
			(len(u.Kinds) == 0 || slices.Contains(u.Kinds, f.Kind))
	})
	if i < 0 {
		return Rule{}, false
	}
	return r.Rules[i], true
}
