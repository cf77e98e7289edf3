package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"helm.sh/helm/v3/pkg/chart/loader"
	"sigs.k8s.io/yaml"
)

var created = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// smallBinaries takes gofmt, a small Go program that is where Go is, for causeway.
func smallBinaries(t *testing.T) []binary {
	t.Helper()
	path, err := exec.LookPath("gofmt")
	if err != nil {
		t.Fatal(err)
	}
	var binaries []binary
	for _, arch := range architectures() {
		bom, err := sbom(path, "1.2.3", arch, created)
		if err != nil {
			t.Fatal(err)
		}
		binaries = append(binaries, binary{arch, path, bom})
	}
	return binaries
}

func TestImage(t *testing.T) {
	t.Parallel()
	binaries := smallBinaries(t)
	o := imageOptions{version: "1.2.3", revision: "abc", created: created, tags: []string{"1.2.3", "v1", "latest"}}
	folder := t.TempDir()
	digest, err := writeImage(folder, binaries, o)
	if err != nil {
		t.Fatal(err)
	}
	again, err := writeImage(t.TempDir(), smallBinaries(t), o)
	if err != nil || again != digest {
		t.Errorf("the same sources gave %v and %v (%v)", digest, again, err)
	}
	l, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(l); err != nil {
		t.Error(err)
	}
	manifest, err := l.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var tags []string
	for _, m := range manifest.Manifests {
		tags = append(tags, m.Annotations["org.opencontainers.image.ref.name"])
		if m.Digest != digest {
			t.Errorf("tag %v names %v, want %v", m.Annotations, m.Digest, digest)
		}
	}
	if !slices.Equal(tags, o.tags) {
		t.Errorf("tags %v, want %v", tags, o.tags)
	}
	index, err := l.ImageIndex(digest)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err = index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var platforms []string
	for i, m := range manifest.Manifests {
		img, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if m.Platform.OS != "linux" {
			checkReferrer(t, img, manifest.Manifests[i-1].Digest)
			continue
		}
		platforms = append(platforms, m.Platform.Architecture)
		checkImage(t, img)
	}
	if !slices.Equal(platforms, architectures()) {
		t.Errorf("platforms %v", platforms)
	}
}

func checkImage(t *testing.T, img v1.Image) {
	t.Helper()
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "1001:1001" || !slices.Equal(config.Config.Entrypoint, []string{"/causeway"}) || !slices.Equal(config.Config.Cmd, []string{"gateway"}) {
		t.Errorf("config %+v", config.Config)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, layer := range layers {
		r, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		entries := tar.NewReader(r)
		for {
			h, err := entries.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, h.Name)
			if h.Name == "apim/config/" && (h.Uid != user || h.Gid != 0 || h.Mode != 0o775) || h.Name == "causeway" && h.Mode != 0o755 || !h.ModTime.Equal(created) {
				t.Errorf("entry %+v", h)
			}
		}
	}
	for _, name := range []string{"causeway", "apim/config/", "tmp/", "etc/passwd"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not among %v", name, names)
		}
	}
}

// checkReferrer looks whether an image is the SBOM of another.
func checkReferrer(t *testing.T, img v1.Image, of v1.Hash) {
	t.Helper()
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if m.Subject == nil || m.Subject.Digest != of || len(m.Layers) != 1 || m.Layers[0].MediaType != sbomType {
		t.Errorf("manifest of the SBOM: %+v", m)
	}
}

func TestSBOM(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := sbom(exe, "1.2.3", "amd64", created)
	if err != nil {
		t.Fatal(err)
	}
	var doc spdx
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, p := range doc.Packages {
		if _, twice := names[p.Name]; twice || p.Version == "" {
			t.Errorf("package %+v", p)
		}
		names[p.Name] = p.Version
	}
	if names["stdlib"] == "" || names["causeway"] != "1.2.3" || doc.SPDXVersion != "SPDX-2.3" || len(doc.Relationships) != len(doc.Packages) {
		t.Errorf("document %s", text)
	}
}

func TestDebian(t *testing.T) {
	t.Parallel()
	b := smallBinaries(t)[0]
	make := func() []byte {
		var buf bytes.Buffer
		if err := writeDebian(&buf, b, "1.2.3-preview.1", created, ".."); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	text := make()
	if !bytes.Equal(text, make()) {
		t.Error("the package is not the same twice")
	}
	members := readAr(t, text)
	control := readTarGz(t, members["control.tar.gz"])
	data := readTarGz(t, members["data.tar.gz"])
	for _, want := range []string{"Package: causeway\n", "Version: 1.2.3~preview.1\n", "Architecture: amd64\n"} {
		if !strings.Contains(control["./control"], want) {
			t.Errorf("control lacks %q:\n%s", want, control["./control"])
		}
	}
	if got := control["./conffiles"]; got != "/etc/causeway/gateway.conf\n/etc/causeway/server.yaml\n" {
		t.Errorf("conffiles %q", got)
	}
	for _, name := range []string{"./usr/bin/causeway", "./usr/lib/systemd/system/causeway-gateway.service", "./usr/lib/systemd/system/causeway-server.service"} {
		if data[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestChartIndex(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, version := range []string{"1.9.0", "1.10.0", "1.10.0-preview.1", "1.9.0"} {
		if _, err := writeChart("../chart", folder, version, "https://charts.example/", created); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, "index.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var index chartIndex
	if err := yaml.UnmarshalStrict(text, &index); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range index.Entries["causeway-gateway"] {
		got = append(got, e.Version+" "+e.AppVersion+" "+e.URLs[0])
	}
	want := []string{
		"1.10.0 1.10.0 https://charts.example/causeway-gateway-1.10.0.tgz",
		"1.10.0-preview.1 1.10.0-preview.1 https://charts.example/causeway-gateway-1.10.0-preview.1.tgz",
		"1.9.0 1.9.0 https://charts.example/causeway-gateway-1.9.0.tgz",
	}
	if !slices.Equal(got, want) {
		t.Errorf("index lists %v, want %v", got, want)
	}
}

// TestChartIsTheSameTwice: the archive does not depend on when it was made, and Helm still takes it.
func TestChartIsTheSameTwice(t *testing.T) {
	t.Parallel()
	var archives [][]byte
	for range 2 {
		path, err := writeChart("../chart", t.TempDir(), "1.2.3", "", created)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := loader.LoadFile(path); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		archives = append(archives, text)
		packed, err := gzip.NewReader(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		entries, n := tar.NewReader(packed), 0
		for h, err := entries.Next(); err != io.EOF; h, err = entries.Next() {
			if err != nil {
				t.Fatal(err)
			}
			if n++; !h.ModTime.Equal(created) {
				t.Errorf("%s is of %v", h.Name, h.ModTime)
			}
		}
		if n < 10 {
			t.Errorf("%d files", n)
		}
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("the archive is not the same twice")
	}
}

// readAr reads the members of an ar archive (deb(5)).
func readAr(t *testing.T, text []byte) map[string][]byte {
	t.Helper()
	rest, ok := bytes.CutPrefix(text, []byte("!<arch>\n"))
	if !ok {
		t.Fatal("not an ar archive")
	}
	members := map[string][]byte{}
	for len(rest) >= 60 {
		var size int
		for _, c := range strings.TrimSpace(string(rest[48:58])) {
			size = size*10 + int(c-'0')
		}
		name := strings.TrimRight(string(rest[:16]), " /")
		members[name] = rest[60 : 60+size]
		rest = rest[60+size+size%2:]
	}
	return members
}

func readTarGz(t *testing.T, text []byte) map[string]string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[h.Name] = string(data)
	}
}
