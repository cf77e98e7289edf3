package main

import (
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
)

// writeDebian writes the Debian package of one binary: the program, the two systemd units with their settings, which
// stay as their owner wrote them, and nothing that starts by itself before it is configured.
func writeDebian(w io.Writer, b binary, version string, created time.Time, source string) error {
	file := func(from, to string, mode uint32, kind string) *files.Content {
		return &files.Content{Source: from, Destination: to, Type: kind,
			FileInfo: &files.ContentFileInfo{Mode: fs.FileMode(mode), MTime: created, Owner: "root", Group: "root"}}
	}
	in := func(name string) string { return filepath.Join(source, filepath.FromSlash(name)) }
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: "causeway", Arch: b.arch, Platform: "linux", MTime: created,
		// A preview sorts before its release only behind a tilde (Debian policy 5.6.12).
		Version: strings.Replace(version, "-", "~", 1), VersionSchema: "none",
		Section: "net", Priority: "optional",
		Maintainer:  "The Causeway authors <maintainers@causeway.invalid>",
		Description: "API management: gateway, management plane and portal\n Takes the policies, clients and settings of Azure API Management.",
		Overridables: nfpm.Overridables{
			Depends: []string{"adduser"}, Recommends: []string{"ca-certificates"},
			Contents: files.Contents{
				file(b.path, "/usr/bin/causeway", 0o755, files.TypeFile),
				file(in("systemd/causeway-server.service"), "/usr/lib/systemd/system/causeway-server.service", 0o644, files.TypeFile),
				file(in("systemd/causeway-gateway.service"), "/usr/lib/systemd/system/causeway-gateway.service", 0o644, files.TypeFile),
				file(in("systemd/server.yaml"), "/etc/causeway/server.yaml", 0o640, files.TypeConfigNoReplace),
				file(in("systemd/gateway.conf"), "/etc/causeway/gateway.conf", 0o640, files.TypeConfigNoReplace),
			},
			Scripts: nfpm.Scripts{PostInstall: in("systemd/postinst"), PreRemove: in("systemd/prerm"), PostRemove: in("systemd/postrm")},
		},
	})
	info.Deb.Compression = "gzip"
	if err := nfpm.PrepareForPackager(info, "deb"); err != nil {
		return fmt.Errorf("debian package: %w", err)
	}
	if err := deb.Default.Package(info, w); err != nil {
		return fmt.Errorf("debian package: %w", err)
	}
	return nil
}
