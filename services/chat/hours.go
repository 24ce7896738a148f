package chat

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // time zones where the system has none

	"github.com/weftline/weftline/services/internal/inbox"
)

// Setting keys of business hours.
const (
	keyZone     = "time_zone"
	keyHours    = "hours"
	keyHolidays = "holidays"
)

var hoursSettings = []inbox.Setting{
	{Key: keyHours, Label: "Business hours", Help: "Such as “mon-fri 09:00-12:00 13:00-17:00; sat 10:00-14:00”. Outside of them the widget says when you are back and asks for an address first; messages are always taken. Empty: always open.", Group: groupHours},
	{Key: keyZone, Label: "Time zone", Help: "Of the business hours, as in the IANA database: Europe/Berlin, America/New_York.", Default: "UTC", Group: groupHours},
	{Key: keyHolidays, Label: "Holidays", Help: "Days with other hours or none, separated by commas or on lines of their own: 2026-12-24 09:00-12:00, 12-25 (every year, closed).", Group: groupHours, Lines: true},
}

// span is part of a day, in minutes after midnight; an end before the start is on the next day.
type span struct{ from, to int }

// hours are when somebody is there.
type hours struct {
	zone *time.Location
	week [7][]span         // by time.Weekday
	days map[string][]span // by date, 2006-01-02 or 01-02; empty: closed
}

// lookAhead bounds how far an opening is looked for, in days; further away is said to be unknown.
const lookAhead = 400

// readHours: nil without business hours.
func readHours(get func(string) string) (h *hours, errs []error) {
	zone, err := time.LoadLocation(get(keyZone))
	if err != nil || get(keyZone) == "Local" {
		errs = append(errs, fmt.Errorf("%s: %q is not a zone of the IANA database, such as Europe/Berlin", keyZone, get(keyZone)))
	}
	h = &hours{zone: zone, days: map[string][]span{}}
	week := get(keyHours)
	for _, e := range strings.FieldsFunc(strings.ReplaceAll(week, `\n`, "\n"), func(r rune) bool { return r == ';' || r == '\n' }) {
		if strings.TrimSpace(e) == "" {
			continue
		}
		if err := h.addWeek(e); err != nil {
			errs = append(errs, fmt.Errorf("%s: %q: %w", keyHours, strings.TrimSpace(e), err))
		}
	}
	for _, e := range strings.FieldsFunc(strings.ReplaceAll(get(keyHolidays), `\n`, "\n"), func(r rune) bool { return r == ',' || r == ';' || r == '\n' }) {
		if strings.TrimSpace(e) == "" {
			continue
		}
		if err := h.addDay(e); err != nil {
			errs = append(errs, fmt.Errorf("%s: %q: %w", keyHolidays, strings.TrimSpace(e), err))
		}
	}
	if len(errs) > 0 || week == "" && len(h.days) == 0 {
		return nil, errs
	}
	if week == "" { // open but for holidays
		for i := range h.week {
			h.week[i] = []span{{0, 24 * 60}}
		}
	}
	return h, nil
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (h *hours) addWeek(e string) error {
	f := strings.Fields(strings.ToLower(e))
	if len(f) < 2 {
		return errors.New("is not of the form mon-fri 09:00-17:00")
	}
	spans, err := readSpans(f[1:])
	if err != nil {
		return err
	}
	for d := range strings.SplitSeq(f[0], ",") {
		first, last, ranged := strings.Cut(d, "-")
		if !ranged {
			last = first
		}
		i, j := slices.Index(weekdays, first), slices.Index(weekdays, last)
		if i < 0 || j < 0 {
			return fmt.Errorf("%q is not a day or days: mon, tue, wed, thu, fri, sat, sun", d)
		}
		for ; ; i = (i + 1) % 7 {
			h.week[i] = append(h.week[i], spans...)
			if i == j {
				break
			}
		}
	}
	return nil
}

func (h *hours) addDay(e string) error {
	f := strings.Fields(e)
	day := f[0]
	_, err := time.Parse(time.DateOnly, day)
	if err != nil {
		_, err = time.Parse(time.DateOnly, "2024-"+day) // a leap year has them all
	}
	if err != nil {
		return errors.New("is not a day such as 2026-12-25 or 12-25")
	}
	spans, err := readSpans(f[1:])
	if err != nil {
		return err
	}
	h.days[day] = append(h.days[day], spans...)
	return nil
}

func readSpans(list []string) (out []span, err error) {
	for _, s := range list {
		a, b, ok := strings.Cut(s, "-")
		from, ok1 := minutes(a)
		to, ok2 := minutes(b)
		if !ok || !ok1 || !ok2 || from == to || from == 24*60 {
			return nil, fmt.Errorf("%q is not of the form 09:00-17:00", s)
		}
		out = append(out, span{from, to})
	}
	return out, nil
}

func minutes(s string) (int, bool) {
	hh, mm, ok := strings.Cut(s, ":")
	if !ok || len(mm) != 2 || len(hh) < 1 || len(hh) > 2 {
		return 0, false
	}
	h, err1 := strconv.ParseUint(hh, 10, 8)
	m, err2 := strconv.ParseUint(mm, 10, 8)
	if err1 != nil || err2 != nil || m > 59 || h > 24 || h == 24 && m > 0 {
		return 0, false
	}
	return int(h*60 + m), true
}

// on are the opening times that begin on a day, as instants: on the day a clock
// is changed they are as long as the clock says.
func (h *hours) on(y int, m time.Month, d int) (out [][2]time.Time) {
	at := func(day, min int) time.Time { return time.Date(y, m, day, min/60, min%60, 0, 0, h.zone) }
	noon := at(d, 12*60)
	spans, ok := h.days[noon.Format(time.DateOnly)]
	if !ok {
		spans, ok = h.days[noon.Format("01-02")]
	}
	if !ok {
		spans = h.week[noon.Weekday()]
	}
	for _, s := range spans {
		end := d
		if s.to < s.from {
			end++
		}
		if from, to := at(d, s.from), at(end, s.to); from.Before(to) {
			out = append(out, [2]time.Time{from, to})
		}
	}
	slices.SortFunc(out, func(a, b [2]time.Time) int { return a[0].Compare(b[0]) })
	return out
}

// at says whether it is open and until when it stays so or stays closed. Zero:
// for longer than anybody plans. A nil h is always open.
func (h *hours) at(now time.Time) (open bool, until time.Time) {
	if h == nil {
		return true, time.Time{}
	}
	y, m, d := now.In(h.zone).Date()
	for i := -1; i <= lookAhead; i++ {
		for _, s := range h.on(y, m, d+i) {
			switch {
			case open && s[0].After(until): // a gap
				return true, until
			case open:
				until = later(until, s[1])
			case !s[1].After(now):
			case s[0].After(now):
				return false, s[0]
			default:
				open, until = true, s[1]
			}
		}
		if open && until.Before(time.Date(y, m, d+i+1, 0, 0, 0, 0, h.zone)) {
			return true, until
		}
	}
	return open, time.Time{}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// hoursOf is what a visitor is told now; nil: nothing is said of hours.
func (c *config) hoursOf(lang string, now time.Time) *hoursFrame {
	if c.Hours == nil {
		return nil
	}
	open, until := c.Hours.at(now)
	f := &hoursFrame{Open: open, Until: stamp(until)}
	if !open {
		f.Text = c.word(lang, wordClosed)
	}
	return f
}

// hoursChange fires when opening or closing time comes, and within an hour in
// any case, so that changed settings are followed.
func (s *session) hoursChange(now time.Time) *time.Timer {
	wait := time.Hour
	if c, ok := s.a.config(s.inbox); ok && c.Hours != nil {
		if _, until := c.Hours.at(now); !until.IsZero() {
			wait = min(wait, until.Sub(now)+time.Second)
		}
	}
	return time.NewTimer(wait)
}

// tellHours tells the visitor how it stands and says when to look again.
func (s *session) tellHours() *time.Timer {
	now := s.a.d.Now()
	if c, ok := s.a.config(s.inbox); ok {
		if f := c.hoursOf(s.lang, now); f != nil {
			s.push(nowFrame{Type: "hours", Hours: *f})
		}
	}
	return s.hoursChange(now)
}
