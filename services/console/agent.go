package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/visible"
)

// agentDoc is an agent as stored.
type agentDoc struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Email    string    `json:"email"` // lower case
	Owner    bool      `json:"owner"`
	Disabled bool      `json:"disabled"`
	Password string    `json:"password"` // argon2id$salt$hash, base64
	Created  time.Time `json:"created"`
	// Signature goes below what the agent sends where the channel signs.
	Signature string `json:"signature,omitempty"`
	Rev       uint64 `json:"-"`
}

func (a agentDoc) actor() actor.Actor {
	return actor.Actor{ID: a.ID, Kind: actor.KindAgent, Name: a.Name, Owner: a.Owner}
}

// MinPassword is the least length of a password, in characters.
const MinPassword = 10

// Errors of agents, for field-level answers.
var (
	errEmailTaken = errors.New("email: another agent has this address")
	errLastOwner  = errors.New("role: the last owner cannot be disabled or demoted")
	errSetupDone  = errors.New("the owner exists already")
)

type agents struct {
	docs docstore.Store
	now  func() time.Time
	mu   sync.Mutex // one change at a time: "last owner" and "first owner" look before they write
}

func (s *agents) all(ctx context.Context) ([]agentDoc, error) {
	var out []agentDoc
	err := s.docs.Scan(ctx, "agents", func(d docstore.Doc) error {
		a, err := decodeAgent(d)
		out = append(out, a)
		return err
	})
	return out, err
}

func (s *agents) any(ctx context.Context) (bool, error) {
	list, err := s.all(ctx)
	return len(list) > 0, err
}

func (s *agents) get(ctx context.Context, id string) (agentDoc, error) {
	d, err := s.docs.Get(ctx, "agents", id)
	if err != nil {
		return agentDoc{}, err
	}
	return decodeAgent(d)
}

func (s *agents) byEmail(ctx context.Context, email string) (agentDoc, error) {
	items, err := s.docs.List(ctx, "agents", docstore.Query{Index: "email", Prefix: []any{strings.ToLower(strings.TrimSpace(email))}, Limit: 1})
	if err != nil {
		return agentDoc{}, err
	}
	if len(items) == 0 {
		return agentDoc{}, docstore.ErrNotFound
	}
	return decodeAgent(items[0].Doc)
}

func decodeAgent(d docstore.Doc) (agentDoc, error) {
	var a agentDoc
	if err := json.Unmarshal(d.JSON, &a); err != nil {
		return a, fmt.Errorf("agent %s: %w", d.ID, err)
	}
	a.Rev = d.Seq
	return a, nil
}

// createOwner makes the first agent, and only the first.
func (s *agents) createOwner(ctx context.Context, name, email, password string) (agentDoc, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if exists, err := s.any(ctx); err != nil {
		return agentDoc{}, err
	} else if exists {
		return agentDoc{}, errSetupDone
	}
	return s.put(ctx, agentDoc{Name: name, Email: email, Owner: true}, password)
}

// save creates (empty id) or changes an agent.
func (s *agents) save(ctx context.Context, a agentDoc, password string) (agentDoc, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.ID != "" {
		old, err := s.get(ctx, a.ID)
		if err != nil {
			return a, err
		}
		a.Password, a.Created, a.Rev, a.Signature = old.Password, old.Created, old.Rev, old.Signature
		if old.Owner && !old.Disabled && (!a.Owner || a.Disabled) {
			list, err := s.all(ctx)
			if err != nil {
				return a, err
			}
			owners := 0
			for _, x := range list {
				if x.Owner && !x.Disabled {
					owners++
				}
			}
			if owners == 1 {
				return a, errLastOwner
			}
		}
	}
	return s.put(ctx, a, password)
}

func (s *agents) put(ctx context.Context, a agentDoc, password string) (agentDoc, error) {
	a.Name, a.Email = strings.TrimSpace(a.Name), strings.ToLower(strings.TrimSpace(a.Email))
	if err := checkName(a.Name); err != nil {
		return a, err
	}
	if m, err := mail.ParseAddress(a.Email); err != nil || m.Address != a.Email || len(a.Email) > 254 {
		return a, fmt.Errorf("email: %q is not an e-mail address", a.Email)
	}
	if password != "" {
		if err := checkPassword("password", password); err != nil {
			return a, err
		}
		a.Password = hashPassword(password)
	}
	if a.Password == "" {
		return a, fmt.Errorf("password: required for a new agent, at least %d characters", MinPassword)
	}
	create := a.ID == ""
	if create {
		a.ID, a.Created = strings.ToLower(ulid.Make().String()), s.now().UTC()
	}
	if other, err := s.byEmail(ctx, a.Email); err == nil && other.ID != a.ID {
		return a, errEmailTaken
	}
	b, err := json.Marshal(a)
	if err != nil {
		return a, err
	}
	op := docstore.Op{Collection: "agents", Doc: docstore.Doc{ID: a.ID, Seq: a.Rev + 1, JSON: b}, Create: create, IfRev: a.Rev}
	a.Rev++
	return a, s.docs.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}})
}

// checkPassword names the field that is wrong.
func checkPassword(field, password string) error {
	if n := len([]rune(password)); n < MinPassword || n > 200 {
		return fmt.Errorf("%s: %d characters, allowed are %d to 200", field, n, MinPassword)
	}
	return nil
}

// checkName: names are shown to customers and to other agents, so nothing in
// one may end a line, turn the text around or hide.
func checkName(name string) error {
	if n := len([]rune(name)); n == 0 || n > 100 {
		return fmt.Errorf("name: %d characters, allowed are 1 to 100", n)
	}
	if problem := visible.Line(name); problem != "" {
		return errors.New("name: " + problem)
	}
	return nil
}
