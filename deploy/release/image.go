package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// user is the user of the image, the same as in Azure's: any other works as well.
const user = 1001

// sbomType is the media type of an SPDX document.
const sbomType = "application/spdx+json"

// A binary is the program for one platform.
type binary struct {
	arch string // amd64 or arm64
	path string
	sbom []byte // SPDX 2.3
}

// imageOptions say what an image is.
type imageOptions struct {
	version, revision string
	created           time.Time // of the sources, so that the same sources give the same bytes
	tags              []string
}

// writeImage writes an image index of the binaries as an OCI image layout (OCI image specification 1.1) into a folder.
// Each tag is an entry of the layout's index.json with the annotation org.opencontainers.image.ref.name, as skopeo,
// podman, crane and ctr read it. The SBOMs are attached as referrers.
func writeImage(folder string, binaries []binary, o imageOptions) (v1.Hash, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, b := range binaries {
		img, err := imageOf(b, o)
		if err != nil {
			return v1.Hash{}, fmt.Errorf("image for %s: %w", b.arch, err)
		}
		bom, err := sbomOf(img, b, o)
		if err != nil {
			return v1.Hash{}, fmt.Errorf("SBOM for %s: %w", b.arch, err)
		}
		index = mutate.AppendManifests(index,
			mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: b.arch}}},
			mutate.IndexAddendum{Add: bom, Descriptor: v1.Descriptor{ArtifactType: sbomType, Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}}},
		)
	}
	l, err := layout.Write(folder, mutate.IndexMediaType(empty.Index, types.OCIImageIndex))
	if err != nil {
		return v1.Hash{}, fmt.Errorf("write image layout: %w", err)
	}
	for _, tag := range o.tags {
		if err := l.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": tag})); err != nil {
			return v1.Hash{}, fmt.Errorf("write image layout: %w", err)
		}
	}
	return index.Digest()
}

// imageOf makes the image for one platform: the static binary and the few files and folders that it needs. It has no
// shell, and the system's certificates are in the binary.
func imageOf(b binary, o imageOptions) (v1.Image, error) {
	files, err := filesLayer(o.created)
	if err != nil {
		return nil, err
	}
	program, err := os.ReadFile(b.path)
	if err != nil {
		return nil, err
	}
	binaryLayer, err := layerOf(o.created, []tar.Header{{Name: "causeway", Mode: 0o755, Size: int64(len(program))}}, program)
	if err != nil {
		return nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	history := func(by string) v1.History { return v1.History{Created: v1.Time{Time: o.created}, CreatedBy: by} }
	img, err = mutate.Append(img,
		mutate.Addendum{Layer: files, History: history("files")},
		mutate.Addendum{Layer: binaryLayer, History: history("causeway")})
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", b.arch, v1.Time{Time: o.created}
	config.Config = v1.Config{
		Entrypoint: []string{"/causeway"},
		// A gateway, as the image of Azure's is: `docker run IMAGE` needs its settings only.
		Cmd:          []string{"gateway"},
		User:         fmt.Sprintf("%d:%d", user, user),
		WorkingDir:   "/data",
		ExposedPorts: map[string]struct{}{"8080/tcp": {}, "8081/tcp": {}, "4290/udp": {}, "4291/udp": {}},
		StopSignal:   "SIGTERM",
		Labels: map[string]string{
			"org.opencontainers.image.title": "Causeway", "org.opencontainers.image.version": o.version,
			"org.opencontainers.image.revision": o.revision, "org.opencontainers.image.created": o.created.Format(time.RFC3339),
		},
	}
	return mutate.ConfigFile(img, config)
}

// filesLayer holds the user's name and the folders that may be written when nothing is mounted there. Group 0 may
// write them too, for platforms that choose the user themselves.
func filesLayer(created time.Time) (v1.Layer, error) {
	passwd := []byte("root:x:0:0:root:/:/none\ncauseway:x:1001:1001:Causeway:/data:/none\n")
	group := []byte("root:x:0:\ncauseway:x:1001:\n")
	return layerOf(created, []tar.Header{
		{Name: "etc/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "etc/passwd", Mode: 0o644, Size: int64(len(passwd))},
		{Name: "etc/group", Mode: 0o644, Size: int64(len(group))},
		{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777},
		{Name: "data/", Typeflag: tar.TypeDir, Mode: 0o775, Uid: user},
		{Name: "apim/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "apim/config/", Typeflag: tar.TypeDir, Mode: 0o775, Uid: user},
	}, passwd, group)
}

// layerOf makes a layer of entries; contents are those of the files among them, in order.
func layerOf(created time.Time, entries []tar.Header, contents ...[]byte) (v1.Layer, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range entries {
		h.ModTime, h.Format = created, tar.FormatPAX
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(&h); err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write(contents[0]); err != nil {
				return nil, err
			}
			contents = contents[1:]
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(buf.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
}

// sbomOf makes the artifact that refers to an image with its SBOM (OCI image specification 1.1, "subject").
func sbomOf(img v1.Image, b binary, o imageOptions) (v1.Image, error) {
	digest, err := img.Digest()
	if err != nil {
		return nil, err
	}
	size, err := img.Size()
	if err != nil {
		return nil, err
	}
	bom := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), sbomType)
	bom, err = mutate.Append(bom, mutate.Addendum{Layer: static.NewLayer(b.sbom, sbomType), MediaType: sbomType})
	if err != nil {
		return nil, err
	}
	bom, err = mutate.CreatedAt(bom, v1.Time{Time: o.created})
	if err != nil {
		return nil, err
	}
	return mutate.Subject(bom, v1.Descriptor{MediaType: types.OCIManifestSchema1, Digest: digest, Size: size}).(v1.Image), nil
}
