package main

import (
	"fmt"
	"regexp"
	"strings"
)

// parse reads what `go test -list` prints: the targets of a package, then a line that names it.
func parse(out, match string) ([]target, error) {
	re, err := regexp.Compile(match)
	if err != nil {
		return nil, fmt.Errorf("reading the expression: %w", err)
	}
	var targets []target
	var names []string
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 1 && strings.HasPrefix(fields[0], "Fuzz"):
			if re.MatchString(fields[0]) {
				names = append(names, fields[0])
			}
		case len(fields) >= 2 && fields[0] == "ok":
			for _, name := range names {
				targets = append(targets, target{pkg: fields[1], name: name})
			}
			names = nil
		}
	}
	return targets, nil
}
