package readmodel

import "strconv"

// Counts of one partition's conversations.
//
// It is written from many streams, so it cannot be guarded stream by stream.
// It is exact all the same, on an engine without transactions too:
//
//   - its Seq says up to which commit of the partition it counts; a commit at or
//     below it is not counted again,
//   - it is the first write of every batch that changes it. So a row that is
//     already newer implies that its change is counted; a row that is still old
//     gives the right difference,
//   - it is loaded after the rows, so that a counter is never older than the
//     rows it is compared with, even when two processes project at once.
type Counts struct {
	ByStatus       map[string]int64 `json:"by_status"`
	OpenByAssignee map[string]int64 `json:"open_by_assignee"` // NoAssignee for nobody
	OpenByInbox    map[string]int64 `json:"open_by_inbox"`
}

// CountsID is the document of a partition.
func CountsID(partition int) string { return "p" + strconv.Itoa(partition) }

// counted is what of a row is counted.
type counted struct{ status, assignee, inbox string }

func countedOf(c *Conversation) counted {
	if c == nil {
		return counted{}
	}
	return counted{c.Status, c.Assignee, c.Inbox}
}

// move takes a row from one state to another; the zero state is "not there".
func (n *Counts) move(from, to counted) {
	n.add(from, -1)
	n.add(to, 1)
}

func (n *Counts) add(c counted, d int64) {
	if c.status == "" {
		return
	}
	bump(&n.ByStatus, c.status, d)
	if c.status == StatusOpen {
		bump(&n.OpenByAssignee, c.assignee, d)
		bump(&n.OpenByInbox, c.inbox, d)
	}
}

// Add sums partitions.
func (n *Counts) Add(o Counts) {
	for k, v := range o.ByStatus {
		bump(&n.ByStatus, k, v)
	}
	for k, v := range o.OpenByAssignee {
		bump(&n.OpenByAssignee, k, v)
	}
	for k, v := range o.OpenByInbox {
		bump(&n.OpenByInbox, k, v)
	}
}

// bump leaves no zero behind: equal counts are equal documents.
func bump(m *map[string]int64, k string, d int64) {
	if *m == nil {
		*m = map[string]int64{}
	}
	if (*m)[k] += d; (*m)[k] == 0 {
		delete(*m, k)
	}
}
