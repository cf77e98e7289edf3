package main

import (
	"slices"
	"strings"
	"testing"
)

func TestTagsOf(t *testing.T) {
	t.Parallel()
	f := func(version, published, want string) {
		t.Helper()
		got, err := tagsOf(version, strings.Fields(published))
		if err != nil || !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("tags of %s after %q are %v (%v), want %s", version, published, got, err, want)
		}
	}
	f("1.0.0", "", "1.0.0 v1 v1-preview latest")
	f("1.0.1", "1.0.0", "1.0.1 v1 v1-preview latest")
	f("1.0.1", "1.0.0 1.1.0", "1.0.1")
	f("1.1.1", "1.1.0 2.0.0", "1.1.1 v1 v1-preview")
	f("2.0.0-preview.1", "1.4.0", "2.0.0-preview.1 v2-preview")
	f("2.0.0-preview.10", "1.4.0 2.0.0-preview.9", "2.0.0-preview.10 v2-preview")
	f("2.0.0-preview.2", "2.0.0-preview.10", "2.0.0-preview.2")
	f("2.0.0", "1.4.0 2.0.0-preview.10", "2.0.0 v2 v2-preview latest")
	f("2.0.1", "2.0.0 2.1.0-preview.1", "2.0.1 v2 latest")
	f("10.0.0", "9.9.9", "10.0.0 v10 v10-preview latest")
	f("1.0.0", "1.0.0", "1.0.0 v1 v1-preview latest") // built once more
}

func TestTagsOfRefusesBadVersions(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"", "1", "1.2", "v1.2.3", "1.2.x", "1.2.3.4", "01.2.3", "1.2.3-", "-1.0.0"} {
		if tags, err := tagsOf(version, nil); err == nil {
			t.Errorf("%q is taken: %v", version, tags)
		}
	}
	if _, err := tagsOf("1.0.0", []string{"nightly"}); err == nil {
		t.Error("a published version that is none is taken")
	}
}
