package handle

import (
	"strings"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/tenure"
)

// Evolve returns the state after a commit. Neither argument is changed.
func Evolve(s State, c event.Commit) State {
	if id, ok := strings.CutPrefix(c.Stream, "handle."); ok {
		s.ID = id
	}
	for _, e := range c.Events {
		switch e := e.(type) {
		case event.HandleClaimed:
			s = State{
				ID: s.ID, Tenure: e.Tenure, Customer: e.Customer, Kind: e.Kind, Scope: e.Scope,
				Address: e.Address, AddressTenure: e.Tenure, Assurance: e.Assurance, Evidence: e.Evidence,
				Qualifier: s.Qualifier, Seen: s.Seen, Started: s.Started, CutOff: s.CutOff, Remembered: s.Remembered,
				Periods: s.begin(tenure.Period{Number: e.Tenure, Customer: e.Customer, At: c.At}),
			}
		case event.HandleMoved:
			s.Tenure, s.From, s.Customer = e.Tenure, e.From, e.To
			s.Assurance = 0
			s.MoveID, s.ValidFrom, s.Refuses, s.Line = e.MoveID, e.ValidFrom, e.Refuses, e.Reason == ReasonLine
			if e.Address.Key != "" { // version 1 left it under the former owner's key
				s.Address, s.AddressTenure = e.Address, e.Tenure
			}
			s.Periods = s.begin(tenure.Period{
				Number: e.Tenure, Customer: e.To, At: c.At, ValidFrom: e.ValidFrom, MoveID: e.MoveID,
			})
		case event.HandleReleased:
			s = State{
				ID: s.ID, Tenure: max(s.Tenure, e.Tenure), Kind: s.Kind, Scope: s.Scope, Qualifier: s.Qualifier,
				Seen: e.Seen, Started: e.Started, CutOff: e.CutOff, Remembered: s.Remembered,
				Periods: s.begin(tenure.Period{Number: e.Tenure, At: c.At, EraseID: e.EraseID}),
			}
		case event.HandleRemembered:
			s.Seen, s.Started = newest(s.Seen, e.Seen), newest(s.Started, e.Started)
			s.Remembered = append(s.Remembered[:len(s.Remembered):len(s.Remembered)], e.Tenure)
			if e.CutOff.After(s.CutOff) {
				s.CutOff = e.CutOff
			}
		case event.HandleAssured:
			s.Assurance = max(s.Assurance, e.Assurance)
		case event.HandleQualified:
			s.Qualifier = e.Qualifier
			if s.Qualifier == None {
				s.Qualifier = ""
			}
		}
	}
	return s
}

func (s State) begin(p tenure.Period) tenure.History {
	return append(s.Periods[:len(s.Periods):len(s.Periods)], p)
}
