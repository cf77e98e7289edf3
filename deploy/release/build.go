package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// architectures are those of Linux that there are packages for.
func architectures() []string { return []string{"amd64", "arm64"} }

// sources say which commit is built.
type sources struct {
	root     string // of the repository
	revision string
	created  time.Time // of the commit
}

// readSources asks Git. SOURCE_DATE_EPOCH (reproducible-builds.org) sets another time.
func readSources(ctx context.Context, root string) (sources, error) {
	out, err := exec.CommandContext(ctx, "git", "-C", root, "log", "-1", "--format=%H %ct").Output()
	if err != nil {
		return sources{}, fmt.Errorf("read the commit: %w", err)
	}
	revision, seconds, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		seconds = epoch
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return sources{}, fmt.Errorf("time of the commit: %w", err)
	}
	return sources{root, revision, time.Unix(n, 0).UTC()}, nil
}

// build makes the static binary for an architecture of Linux. Nothing of the machine gets into it, so that the same
// sources give the same bytes.
func (s sources) build(ctx context.Context, arch, version, folder string) (binary, error) {
	b := binary{arch: arch, path: filepath.Join(folder, "causeway-"+version+"-linux-"+arch)}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", b.path,
		"-ldflags", "-s -w -buildid= -X main.version="+version+" -X main.revision="+s.revision[:min(12, len(s.revision))], "./cmd/causeway")
	cmd.Dir = s.root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return b, fmt.Errorf("build for %s: %w", arch, err)
	}
	var err error
	if b.sbom, err = sbom(b.path, version, arch, s.created); err != nil {
		return b, fmt.Errorf("SBOM for %s: %w", arch, err)
	}
	return b, os.WriteFile(b.path+".spdx.json", b.sbom, 0o644)
}
