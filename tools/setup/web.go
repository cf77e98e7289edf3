package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// stampFile holds the digest of the sources that dist was built from.
const stampFile = "dist/.built-from"

// buildWeb builds the console and the portal's scripts when their sources have changed since the last time. A tree
// without them is left alone: the binary then has no pages, and says so.
func buildWeb(ctx context.Context, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "package.json")); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	digest, err := digestOf(dir)
	if err != nil {
		return fmt.Errorf("reading the web sources: %w", err)
	}
	stamp := filepath.Join(dir, filepath.FromSlash(stampFile))
	if old, err := os.ReadFile(stamp); err == nil && string(old) == digest {
		return nil
	}
	if !anyCommand("npm")() {
		return errors.New("npm is missing: the web pages are built with Node (Debian: apt-get install nodejs npm); `make build` works without")
	}
	fmt.Println("setup: building the web pages")
	if err := execute(ctx, dir, nil, "npm", "ci", "--no-audit", "--no-fund"); err != nil {
		return err
	}
	if err := execute(ctx, dir, nil, "npm", "run", "build"); err != nil {
		return err
	}
	if err := os.WriteFile(stamp, []byte(digest), 0o644); err != nil {
		return fmt.Errorf("noting what was built: %w", err)
	}
	return nil
}

// digestOf sums up the names and contents of the web sources.
func digestOf(dir string) (string, error) {
	sum := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == "node_modules" || name == "dist" {
				return filepath.SkipDir
			}
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(sum, "%s %d\n%s", filepath.ToSlash(rel), len(data), data)
		return err
	})
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
