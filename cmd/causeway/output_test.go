package main

import (
	"strings"
	"testing"
)

// What people call themselves neither breaks a row nor steers the terminal of who lists them.
func TestRowsStayRows(t *testing.T) {
	t.Parallel()
	list := &table{columns: []string{"id", "name"}, rows: [][]string{{"1", "A\tda\nEve \x1b[31m\u009bred"}, {"2", "محمد 🎉"}}}
	for format, want := range map[string]string{
		"tsv":   "1\tA da Eve  [31m red\n2\tمحمد 🎉\n",
		"table": "ID  NAME\n1   A da Eve  [31m red\n2   محمد 🎉\n",
	} {
		var out strings.Builder
		if err := list.print(&out, format); err != nil || out.String() != want {
			t.Errorf("%s: %v\n%q\nwant\n%q", format, err, out.String(), want)
		}
	}
}
