// Release makes everything that Causeway is delivered as from the sources, without a container daemon: static
// binaries with their SBOMs, a container image for both architectures as an OCI layout, Debian packages, and the
// chart with its repository's index.
//
//	go run -C deploy ./release -version 1.2.3 -out ../dist [-published 1.2.1,1.2.2] [-charts-url URL]
//	go run -C deploy ./release -version 1.2.3 -published 1.2.1,1.3.0 -tags
//
// -tags prints the tags that the image of a version gets, and makes nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "release:", err)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	version := flags.String("version", "", "version to make, X.Y.Z or X.Y.Z-preview.N")
	published := flags.String("published", "", "versions that are out already, separated by commas; they decide which tags move")
	folder := flags.String("out", "../dist", "folder for what is made")
	chartsURL := flags.String("charts-url", "", "address at which the folder of charts is served")
	onlyTags := flags.Bool("tags", false, "print the image's tags and make nothing")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var before []string
	if *published != "" {
		before = strings.Split(*published, ",")
	}
	tags, err := tagsOf(*version, before)
	if err != nil {
		return err
	}
	if *onlyTags {
		_, err := fmt.Fprintln(out, strings.Join(tags, "\n"))
		return err
	}
	return deliver(ctx, out, *version, *folder, *chartsURL, tags)
}

// deliver makes everything of a version in a folder and says what it made.
func deliver(ctx context.Context, out io.Writer, version, folder, chartsURL string, tags []string) error {
	src, err := readSources(ctx, "..")
	if err != nil {
		return err
	}
	charts := filepath.Join(folder, "charts")
	if err := os.MkdirAll(charts, 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	var binaries []binary
	for _, arch := range architectures() {
		fmt.Fprintln(out, "building for", arch)
		b, err := src.build(ctx, arch, version, folder)
		if err != nil {
			return err
		}
		binaries = append(binaries, b)
	}
	image := filepath.Join(folder, "image")
	if err := os.RemoveAll(image); err != nil {
		return err
	}
	digest, err := writeImage(image, binaries, imageOptions{version, src.revision, src.created, tags})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: image %s, tags %s\n", image, digest, strings.Join(tags, " "))
	for _, b := range binaries {
		path := filepath.Join(folder, fmt.Sprintf("causeway_%s_%s.deb", version, b.arch))
		if err := writeFile(path, func(w io.Writer) error { return writeDebian(w, b, version, src.created, ".") }); err != nil {
			return err
		}
		fmt.Fprintln(out, path)
	}
	path, err := writeChart("chart", charts, version, chartsURL, src.created)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, path)
	return nil
}

// writeFile writes a whole file or none.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	err = write(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), path)
}
