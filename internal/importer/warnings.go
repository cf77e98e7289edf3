package importer

import "fmt"

// maxWarnings is how many kinds of warnings a result names.
const maxWarnings = 100

// warnings collects what is not imported. The same message about many places
// is one warning at the first of them with a count, so that a large document
// gives a list that a person reads.
type warnings struct {
	tree  *tree
	found []Warning
	times []int
	index map[string]int // of found, by message
}

func (w *warnings) add(p place, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	if i, ok := w.index[message]; ok {
		w.times[i]++
		return
	}
	if len(w.found) == maxWarnings {
		message = "there are more warnings than are listed"
	} else if len(w.found) > maxWarnings {
		return
	}
	w.index[message] = len(w.found)
	line, column := w.tree.position(p)
	w.found = append(w.found, Warning{line, column, message})
	w.times = append(w.times, 1)
}

func (w *warnings) list() []Warning {
	for i, times := range w.times {
		if times > 1 {
			w.found[i].Message += fmt.Sprintf(" (%d times)", times)
		}
	}
	return w.found
}
