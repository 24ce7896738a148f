package bench

import (
	netmail "net/mail"
	"strings"
	"testing"
	"time"
)

func TestSpreadAndQuantile(t *testing.T) {
	t.Parallel()
	if low, mid, high := spread([]float64{3, 1, 2}); low != 1 || mid != 2 || high != 3 {
		t.Errorf("odd: %v %v %v", low, mid, high)
	}
	if _, mid, _ := spread([]float64{4, 1}); mid != 2.5 {
		t.Errorf("even: %v", mid)
	}
	var ds []time.Duration
	for i := range 100 {
		ds = append(ds, time.Duration(100-i)*time.Millisecond)
	}
	if p50, p99 := quantile(ds, .5), quantile(ds, .99); p50 != 50 || p99 != 99 {
		t.Errorf("p50 %v, p99 %v", p50, p99)
	}
	if quantile(nil, .5) != 0 {
		t.Error("quantile of nothing")
	}
}

func TestTextNamesItsVisitor(t *testing.T) {
	t.Parallel()
	if v, n, ok := parseText(text(17, 4)); v != 17 || n != 4 || !ok {
		t.Errorf("%d %d %t", v, n, ok)
	}
	for _, s := range []string{"", "hello", "#", "#1", "#a.b", "1.2 x"} {
		if _, _, ok := parseText(s); ok {
			t.Errorf("%q was taken for a message", s)
		}
	}
}

func TestLettersAreMails(t *testing.T) {
	t.Parallel()
	for _, i := range []int{0, 9, 10, 49} {
		raw := letter(1, i, 10)
		m, err := netmail.ReadMessage(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		if answers := m.Header.Get("In-Reply-To") != ""; answers != (i >= 10) {
			t.Errorf("mail %d answers: %t", i, answers)
		}
		if len(raw) < 2000 || len(raw) > 4000 {
			t.Errorf("mail %d has %d bytes", i, len(raw))
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{
		"rounds": {Rounds: -1}, "mails": {Mails: -5}, "visitors": {Visitors: []int{0}}, "window": {Window: time.Millisecond},
	} {
		if err := c.defaults(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
