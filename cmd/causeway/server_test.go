package main

import "testing"

func TestWithoutPassword(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"postgres://u:p@h/db":               "postgres://u:xxxxx@h/db",
		"postgres://h/db?user=u&password=p": "postgres://h/db?password=%2A%2A%2A&user=u",
		"sqlite:///var/lib/x.db":            "sqlite:///var/lib/x.db",
		"-":                                 "-",
		"postgres://u:p%@h/db":              "***",
	} {
		if got := withoutPassword(in); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
}
