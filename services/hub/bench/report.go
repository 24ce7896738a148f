package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what a run saw.
type Report struct {
	At      time.Time `json:"at"`
	Build   string    `json:"build"`
	Machine Machine   `json:"machine"`
	Figures []Figure  `json:"figures"`
}

// Machine is where it ran.
type Machine struct {
	OS     string `json:"os"`
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Memory string `json:"memory,omitempty"`
	Go     string `json:"go"`
	// Load is the one minute average before the run: others at work make absolute figures smaller.
	Load string `json:"load,omitempty"`
}

// Figure is one measured value, the median of its rounds.
type Figure struct {
	Case   string  `json:"case"`
	Name   string  `json:"name"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	Rounds int     `json:"rounds"`
	// Low and High are the extremes of the rounds.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

func newReport(string) *Report {
	return &Report{At: time.Now().UTC(), Build: build(), Machine: machine()}
}

// put adds a figure: the median of rounds.
func (r *Report) put(caseName, name, unit string, rounds ...float64) {
	if len(rounds) == 0 {
		return
	}
	low, mid, high := spread(rounds)
	r.Figures = append(r.Figures, Figure{Case: caseName, Name: name, Value: mid, Unit: unit, Rounds: len(rounds), Low: low, High: high})
}

// Table prints the figures for people.
func (r *Report) Table(w io.Writer) error {
	m := r.Machine
	fmt.Fprintf(w, "\n%s, %d cores, %s, %s %s, load %s\n%s\n\n", m.CPU, m.Cores, m.Memory, m.OS, m.Go, m.Load, r.Build)
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "CASE\tFIGURE\tMEDIAN\tUNIT\tROUNDS\tLOW…HIGH")
	for _, f := range r.Figures {
		span := ""
		if f.Rounds > 1 {
			span = number(f.Low) + "…" + number(f.High)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\n", f.Case, f.Name, number(f.Value), f.Unit, f.Rounds, span)
	}
	return t.Flush()
}

// JSON writes the report for machines.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func machine() Machine {
	m := Machine{OS: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version(), CPU: "unknown CPU"}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
				m.CPU = strings.TrimSpace(v)
				break
			}
		}
	}
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kb int64
		if _, err := fmt.Sscanf(string(b), "MemTotal: %d kB", &kb); err == nil {
			m.Memory = fmt.Sprintf("%d GB", (kb+(1<<19))>>20)
		}
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(b), " ")
	}
	return m
}

func build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown build"
	}
	rev, dirty := "unknown revision", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			rev = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = " with changes"
		}
	}
	return "revision " + rev + dirty
}
