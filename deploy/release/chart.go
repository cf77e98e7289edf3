package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"sigs.k8s.io/yaml"
)

// chartIndex is index.yaml of a chart repository (helm.sh/docs/topics/chart_repository). Helm's own package for it
// would bring half of Kubernetes' client along.
type chartIndex struct {
	APIVersion string                  `json:"apiVersion"`
	Entries    map[string][]chartEntry `json:"entries"`
	Generated  time.Time               `json:"generated"`
}

type chartEntry struct {
	chart.Metadata
	URLs    []string  `json:"urls"`
	Created time.Time `json:"created"`
	Digest  string    `json:"digest"`
}

// writeChart packages the chart for a version into a folder and enters it into the index of the chart repository
// there; other versions that the index lists stay listed. url is where the folder will be served; without it the
// index refers to files beside itself.
func writeChart(source, folder, version, url string, created time.Time) (string, error) {
	c, err := loader.Load(source)
	if err != nil {
		return "", fmt.Errorf("load chart: %w", err)
	}
	c.Metadata.Version, c.Metadata.AppVersion = version, version
	path, err := chartutil.Save(c, folder)
	if err != nil {
		return "", fmt.Errorf("package chart: %w", err)
	}
	packaged, err := redate(path, created)
	if err != nil {
		return "", fmt.Errorf("package chart: %w", err)
	}
	file := filepath.Join(folder, "index.yaml")
	index := chartIndex{APIVersion: "v1", Entries: map[string][]chartEntry{}}
	switch text, err := os.ReadFile(file); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", err
	default:
		if err := yaml.Unmarshal(text, &index); err != nil {
			return "", fmt.Errorf("read chart index: %w", err)
		}
	}
	sum := sha256.Sum256(packaged)
	name := filepath.Base(path)
	if url != "" {
		name = strings.TrimSuffix(url, "/") + "/" + name
	}
	entries := slices.DeleteFunc(index.Entries[c.Name()], func(e chartEntry) bool { return e.Version == version })
	// The newest first, as Helm expects it.
	at, _ := slices.BinarySearchFunc(entries, version, func(e chartEntry, version string) int {
		a, errA := parseRelease(e.Version)
		b, errB := parseRelease(version)
		if errA != nil || errB != nil {
			return 1
		}
		return b.compare(a)
	})
	index.Entries[c.Name()] = slices.Insert(entries, at, chartEntry{*c.Metadata, []string{name}, created, hex.EncodeToString(sum[:])})
	index.Generated = created
	text, err := yaml.Marshal(index)
	if err != nil {
		return "", err
	}
	return path, os.WriteFile(file, text, 0o644)
}

// redate writes the archive of a chart anew, as Helm packages it but with one time everywhere: Helm takes that of the packaging, and the same
// sources would never give the same bytes. It returns them.
func redate(path string, created time.Time) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	packed := gzip.NewWriter(&out)
	packed.Comment, packed.Extra = unpacked.Comment, unpacked.Extra // Helm knows its archives by them
	from, to := tar.NewReader(unpacked), tar.NewWriter(packed)
	for {
		h, err := from.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := to.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: h.Name, Mode: 0o644, Size: h.Size, ModTime: created, Format: tar.FormatPAX}); err != nil {
			return nil, err
		}
		if _, err := io.Copy(to, from); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(to.Close(), packed.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), os.WriteFile(path, out.Bytes(), 0o644)
}
