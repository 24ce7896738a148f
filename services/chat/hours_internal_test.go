package chat

import (
	"testing"
	"time"
)

func TestHours(t *testing.T) {
	t.Parallel()
	read := func(m map[string]string) *hours {
		h, errs := readHours(func(k string) string {
			if v := m[k]; v != "" {
				return v
			}
			return defaults[k]
		})
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		return h
	}
	office := map[string]string{keyHours: "mon-fri 09:00-12:00 13:00-17:00; sat 10:00-14:00", keyZone: "Europe/Berlin", keyHolidays: "12-25, 2026-12-24 09:00-12:00"}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", s, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	night := map[string]string{keyHours: "mon-sun 22:00-02:00", keyZone: "Europe/Berlin"}
	always := map[string]string{keyHours: "mon-sun 00:00-24:00", keyZone: "Europe/Berlin"}
	for _, c := range []struct {
		name  string
		set   map[string]string
		now   string
		open  bool
		until string // "" never
	}{
		{"morning", office, "2026-11-27 09:00", true, "2026-11-27 12:00"},
		{"lunch", office, "2026-11-27 12:00", false, "2026-11-27 13:00"},
		{"evening before Saturday", office, "2026-11-27 18:00", false, "2026-11-28 10:00"},
		{"Sunday", office, "2026-11-29 12:00", false, "2026-11-30 09:00"},
		{"Christmas Eve has its own hours", office, "2026-12-24 11:59", true, "2026-12-24 12:00"},
		{"Christmas Day is closed, and then a Saturday", office, "2026-12-24 13:00", false, "2026-12-26 10:00"},
		{"the same next year", office, "2027-12-24 18:00", false, "2027-12-27 09:00"},
		{"past midnight", night, "2026-11-27 01:59", true, "2026-11-27 02:00"},
		{"before midnight", night, "2026-11-27 23:00", true, "2026-11-28 02:00"},
		{"day after night", night, "2026-11-27 12:00", false, "2026-11-27 22:00"},
		{"clocks go forward while it is open", night, "2026-03-28 23:00", true, "2026-03-29 01:00"},
		{"clocks go back", office, "2026-10-25 12:00", false, "2026-10-26 09:00"},
		{"always", always, "2026-11-27 12:00", true, ""},
		{"holidays only", map[string]string{keyHolidays: "2026-12-25", keyZone: "Europe/Berlin"}, "2026-12-24 12:00", true, "2026-12-25 00:00"},
		{"after the holiday", map[string]string{keyHolidays: "2026-12-25", keyZone: "Europe/Berlin"}, "2026-12-25 12:00", false, "2026-12-26 00:00"},
	} {
		open, until := read(c.set).at(at(c.now))
		want := time.Time{}
		if c.until != "" {
			want = at(c.until)
		}
		if c.name == "clocks go forward while it is open" {
			want = at("2026-03-29 03:00") // 02:00 is not on that clock
		}
		if open != c.open || !until.Equal(want) {
			t.Errorf("%s: open %v until %v, want %v until %v", c.name, open, until.In(berlin), c.open, want)
		}
	}
	if h := read(nil); h != nil {
		t.Error("hours where none are set")
	}
	if open, until := (*hours)(nil).at(time.Now()); !open || !until.IsZero() {
		t.Error("without hours it is always open")
	}
}

func FuzzHours(f *testing.F) {
	f.Add("mon-fri 09:00-17:00; sat 22:00-02:00", "12-25, 2026-12-24 09:00-12:00", int64(1795779720))
	f.Add("sun-sat 00:00-24:00", "", int64(0))
	f.Add("fri-mon 1:00-1:01", "02-29", int64(1e10))
	f.Fuzz(func(t *testing.T, week, days string, unix int64) {
		h, errs := readHours(func(k string) string {
			return map[string]string{keyHours: week, keyHolidays: days, keyZone: "America/New_York"}[k]
		})
		if len(errs) > 0 || h == nil {
			return
		}
		now := time.Unix(unix%(1<<36), 0)
		open, until := h.at(now)
		if !until.IsZero() && !until.After(now) {
			t.Errorf("%q %q at %v: open %v until %v, which is over", week, days, now, open, until)
		}
	})
}
