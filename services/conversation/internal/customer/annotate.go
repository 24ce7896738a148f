package customer

import (
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/visible"
)

// Note is internal text. Its body is sealed after the decision.
type Note struct {
	Note         string // id, derived from the idempotency key
	Conversation string
	RecalledTo   uint64
}

// CommitID is note:<note>.
func (c Note) CommitID() string { return "note:" + c.Note }

func (c Note) decide(s State) ([]event.Event, error) {
	if err := recall(s.Commands, c.Note, c.RecalledTo); err != nil {
		return nil, err
	}
	v, err := s.need(c.Conversation)
	if err != nil {
		return nil, err
	}
	return []event.Event{event.NoteAdded{Note: c.Note, Conversation: v.ID}}, nil
}

// Assign gives a conversation to an agent, or (Assignee empty) to nobody.
type Assign struct {
	ID           string
	Conversation string
	Assignee     string // agent id: a subject token
}

// CommitID is the caller's.
func (c Assign) CommitID() string { return c.ID }

func (c Assign) decide(s State) ([]event.Event, error) {
	v, err := s.need(c.Conversation)
	if err != nil {
		return nil, err
	}
	if c.Assignee != "" && !subject.ValidToken(c.Assignee) {
		return nil, &FieldError{Field: "assignee", Problem: "must be an agent id: 1 to 64 of a-z A-Z 0-9 _ -"}
	}
	if v.Assignee == c.Assignee {
		return nil, nil
	}
	return []event.Event{event.ConversationAssigned{Conversation: v.ID, Assignee: c.Assignee}}, nil
}

// Prioritise orders a queue.
type Prioritise struct {
	ID           string
	Conversation string
	Priority     string // low, normal, high, urgent
}

// CommitID is the caller's.
func (c Prioritise) CommitID() string { return c.ID }

func (c Prioritise) decide(s State) ([]event.Event, error) {
	v, err := s.need(c.Conversation)
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"low", "normal", "high", "urgent"}, c.Priority) {
		return nil, &FieldError{Field: "priority", Problem: fmt.Sprintf("%q is not one of low, normal, high, urgent", c.Priority)}
	}
	if v.Priority == c.Priority || v.Priority == "" && c.Priority == "normal" {
		return nil, nil
	}
	return []event.Event{event.ConversationPrioritised{Conversation: v.ID, Priority: c.Priority}}, nil
}

// Tag puts a tag on a conversation, or (Remove) takes it off.
type Tag struct {
	ID           string
	Conversation string
	Tag          string // 1 to 50 characters, no control characters
	Remove       bool
}

// CommitID is the caller's.
func (c Tag) CommitID() string { return c.ID }

func (c Tag) decide(s State) ([]event.Event, error) {
	v, err := s.need(c.Conversation)
	if err != nil {
		return nil, err
	}
	if n := utf8.RuneCountInString(c.Tag); n < 1 || n > 50 || !utf8.ValidString(c.Tag) || slices.ContainsFunc([]rune(c.Tag), unicode.IsControl) {
		return nil, &FieldError{Field: "tag", Problem: "must be 1 to 50 characters, none of them a control character"}
	}
	if problem := visible.Line(c.Tag); problem != "" && !c.Remove { // one that is there can go
		return nil, &FieldError{Field: "tag", Problem: problem}
	}
	if slices.Contains(v.Tags, c.Tag) != c.Remove {
		return nil, nil
	}
	if c.Remove {
		return []event.Event{event.ConversationUntagged{Conversation: v.ID, Tag: c.Tag}}, nil
	}
	if len(v.Tags) >= limitTags {
		return nil, &FieldError{Field: "tag", Problem: fmt.Sprintf("a conversation has at most %d tags", limitTags)}
	}
	return []event.Event{event.ConversationTagged{Conversation: v.ID, Tag: c.Tag}}, nil
}

// SetAttribute sets or (Remove) removes an attribute. Its value is sealed after the decision.
type SetAttribute struct {
	ID     string
	Name   string // 1 to 64 of a-z 0-9 _ -
	Remove bool
}

// CommitID is the caller's.
func (c SetAttribute) CommitID() string { return c.ID }

func (c SetAttribute) decide(s State) ([]event.Event, error) {
	if !s.Exists {
		return nil, &NotFoundError{What: "customer", ID: s.ID}
	}
	ok := c.Name != "" && len(c.Name) <= 64
	for _, r := range c.Name {
		ok = ok && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '-')
	}
	if !ok {
		return nil, &FieldError{Field: "name", Problem: "must be 1 to 64 characters of a-z 0-9 _ -"}
	}
	if !c.Remove && len(s.Attributes) >= LimitAttributes && !slices.Contains(s.Attributes, c.Name) {
		return nil, &FieldError{Field: "name", Problem: fmt.Sprintf("a customer has at most %d attributes", LimitAttributes)}
	}
	return []event.Event{event.AttributeSet{Name: c.Name, Removed: c.Remove}}, nil
}

// Reread hides the placeholder of an input that can be read now.
type Reread struct {
	Message      string
	Conversation string
	Into         []string
}

// CommitID is reread:<message>.
func (c Reread) CommitID() string { return "reread:" + c.Message }

func (c Reread) decide(s State) ([]event.Event, error) {
	if _, err := s.need(c.Conversation); err != nil {
		return nil, err
	}
	return []event.Event{event.MessageReread{Message: c.Message, Conversation: c.Conversation, Into: c.Into}}, nil
}
