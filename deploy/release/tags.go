package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A release is a version as semver.org writes it, without a leading v: 1.2.3 or 1.3.0-preview.2.
type release struct {
	number  [3]int
	preview string // what follows the hyphen; empty for a stable release
}

func parseRelease(s string) (release, error) {
	var r release
	core, preview, isPreview := strings.Cut(s, "-")
	parts := strings.Split(core, ".")
	if len(parts) != 3 || isPreview && preview == "" {
		return r, fmt.Errorf("version %q: it must be X.Y.Z or X.Y.Z-preview.N", s)
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 || strconv.Itoa(n) != p {
			return r, fmt.Errorf("version %q: %q is not a number", s, p)
		}
		r.number[i] = n
	}
	r.preview = preview
	return r, nil
}

// compare orders releases by precedence (semver.org, clause 11): a preview comes before its release, and its
// identifiers compare one by one, numbers as numbers.
func (r release) compare(o release) int {
	if c := slices.Compare(r.number[:], o.number[:]); c != 0 {
		return c
	}
	switch {
	case r.preview == o.preview:
		return 0
	case r.preview == "":
		return 1
	case o.preview == "":
		return -1
	}
	return slices.CompareFunc(strings.Split(r.preview, "."), strings.Split(o.preview, "."), func(a, b string) int {
		x, errX := strconv.Atoi(a)
		y, errY := strconv.Atoi(b)
		switch {
		case errX == nil && errY == nil:
			return x - y
		case errX == nil:
			return -1 // numbers come before words
		case errY == nil:
			return 1
		}
		return strings.Compare(a, b)
	})
}

// tagsOf returns the tags of an image of a version, when published are the versions that there are already. The four
// strategies are those of Azure's gateway: X.Y.Z never moves; vX follows the newest release of a major version,
// vX-preview its newest release or preview, and latest the newest release of all. So a fix of an old major version
// moves only what belongs to it.
func tagsOf(version string, published []string) ([]string, error) {
	v, err := parseRelease(version)
	if err != nil {
		return nil, err
	}
	newestOfMajor, newestPreview, newest := v.preview == "", true, v.preview == ""
	for _, s := range published {
		p, err := parseRelease(s)
		if err != nil {
			return nil, fmt.Errorf("published %w", err)
		}
		if p.compare(v) <= 0 {
			continue
		}
		sameMajor, stable := p.number[0] == v.number[0], p.preview == ""
		newestOfMajor = newestOfMajor && !(sameMajor && stable)
		newestPreview = newestPreview && !sameMajor
		newest = newest && !stable
	}
	tags := []string{version}
	major := "v" + strconv.Itoa(v.number[0])
	if newestOfMajor {
		tags = append(tags, major)
	}
	if newestPreview {
		tags = append(tags, major+"-preview")
	}
	if newest {
		tags = append(tags, "latest")
	}
	return tags, nil
}
