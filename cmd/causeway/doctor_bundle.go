package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
)

// writeBundle writes what support needs to a .tar.gz that only its owner can read. Secrets are masked as in
// `causeway gateway config`; s may be nil.
func (d *doctor) writeBundle(path string, s *settings) (err error) {
	findings, err := json.MarshalIndent(d.findings, "", "  ")
	if err != nil {
		return err
	}
	about, err := json.MarshalIndent(map[string]any{
		"version": version, "revision": sourceRevision(), "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
		"cpus": runtime.NumCPU(), "time": d.now().UTC(),
	}, "", "  ")
	if err != nil {
		return err
	}
	var effective bytes.Buffer
	if s != nil {
		s.print(&effective)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return d.pack(f, map[string][]byte{"doctor.json": findings, "about.json": about, "settings.txt": effective.Bytes(), "metrics.txt": d.metrics})
}

func (d *doctor) pack(w io.Writer, files map[string][]byte) error {
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	for _, name := range []string{"doctor.json", "about.json", "settings.txt", "metrics.txt"} {
		if err := t.WriteHeader(&tar.Header{Name: "causeway-support/" + name, Mode: 0o600, Size: int64(len(files[name])), ModTime: d.now()}); err != nil {
			return fmt.Errorf("write the bundle: %w", err)
		}
		if _, err := t.Write(files[name]); err != nil {
			return fmt.Errorf("write the bundle: %w", err)
		}
	}
	if err := errors.Join(t.Close(), z.Close()); err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	return nil
}
