// Package web embeds the built console and developer portal assets.
//
// The build output is not committed: git holds an empty dist folder, so that the Go build never needs Node.
// When the folder was not filled before the binary was built, [Built] is false and whoever serves the pages
// says which command builds them.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// BuildCommand is the command that fills the assets, for the message shown instead of a page that is not built.
const BuildCommand = "make build"

// Dist returns the build output, rooted at its own folder: the console's entry page is console/index.html.
func Dist() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		// The name is a constant that the embed directive above has checked.
		panic(err)
	}
	return sub
}

// Built reports whether the assets were built into this binary.
func Built() bool {
	_, err := fs.Stat(Dist(), "console/index.html")
	return err == nil
}
