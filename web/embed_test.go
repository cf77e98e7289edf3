package web

import (
	"io/fs"
	"testing"
)

func TestDistIsReadable(t *testing.T) {
	t.Parallel()
	entries, err := fs.ReadDir(Dist(), ".")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) == 0 {
		t.Fatal("the embedded folder is empty: the placeholder of git should be in it")
	}
	_, err = fs.Stat(Dist(), "console/index.html")
	if got, want := Built(), err == nil; got != want {
		t.Errorf("Built() = %v, want %v", got, want)
	}
}
