package main

import (
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	out := "FuzzA\nFuzzB\nok  \tm/p\t0.1s\n?   \tm/q\t[no test files]\nok  \tm/r\t0.1s\nFuzzA\nok  \tm/s\t0.1s\n"
	got, err := parse(out, "A$")
	if err != nil {
		t.Fatal(err)
	}
	if want := []target{{"m/p", "FuzzA"}, {"m/s", "FuzzA"}}; !slices.Equal(got, want) {
		t.Errorf("parse = %v, want %v", got, want)
	}
	if _, err := parse(out, "("); err == nil {
		t.Error("a broken expression is accepted")
	}
}
