//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// writeTable writes the medians of a scenario as Markdown. Ratios of CPU time are to nginx, or to the last contender where nginx takes no part: the
// median of those of the rounds, because a neighbour that slows the machine down slows a whole round.
func writeTable(out io.Writer, sc scenario, taking []*instance, turns [][]*round) {
	reference := len(taking) - 1
	medians := make([]*round, len(taking))
	for i, in := range taking {
		medians[i] = median(turns[i])
		if in.name == "nginx" {
			reference = i
		}
	}
	fmt.Fprintf(out, "**%s** (`%s`)\n\n", sc.title, sc.name)
	if sc.traffic == idleTraffic {
		fmt.Fprintln(out, "| | KiB a connection | peak MB |\n| --- | ---: | ---: |")
		for i, in := range taking {
			fmt.Fprintf(out, "| %s | %.1f | %.0f |\n", in.name, float64(medians[i].perConn)/1024, megabytes(medians[i].peak))
		}
		fmt.Fprintln(out)
		return
	}
	fmt.Fprintf(out, "| | CPU µs a request | × %s | requests/s | p50 ms | p99 ms | peak MB | anonymous MB |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n", taking[reference].name)
	for i, in := range taking {
		m := medians[i]
		fmt.Fprintf(out, "| %s | %.1f | %.2f | %.0f | %.2f | %.2f | %.0f | %.0f |\n", in.name, micros(m.cpu), ratio(turns[i], turns[reference]),
			m.throughput, micros(m.p50)/1000, micros(m.p99)/1000, megabytes(m.peak), megabytes(m.anon))
	}
	fmt.Fprintln(out)
}

// ratio is the median of what the CPU time of each turn is to the other's in the same round.
func ratio(turns, others []*round) float64 {
	var all []float64
	for i, r := range turns {
		all = append(all, float64(r.cpu)/float64(others[i].cpu))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

func megabytes(n int64) float64 { return float64(n) / 1e6 }

// The marks between which writePage puts the tables.
const (
	pageBegin = "<!-- bench-gateway: begin -->\n"
	pageEnd   = "<!-- bench-gateway: end -->\n"
)

// writePage replaces what stands between the marks of a page.
func writePage(path, text string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(data), pageBegin)
	_, after, ended := strings.Cut(rest, pageEnd)
	if !found || !ended {
		return fmt.Errorf("%s has no marks %q and %q", path, strings.TrimSpace(pageBegin), strings.TrimSpace(pageEnd))
	}
	return os.WriteFile(path, []byte(before+pageBegin+"\n"+text+pageEnd+after), 0o644)
}
