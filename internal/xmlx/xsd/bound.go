package xsd

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/xmlx"
)

// The bounds of content models: the validator writes repetitions out, so its work grows with the square of them.
const (
	maxParticles = 2_000
	maxRepeat    = 500
)

// boundModels bounds the content models of a schema. Repetitions beyond maxRepeat become unbounded ones.
func boundModels(schema *xmlx.Node) error {
	b := &bounds{groups: make(map[string]*xmlx.Node), sizes: make(map[string]int)}
	for _, n := range schema.Elements() {
		if name, _ := n.Attr("", "name"); n.Name.Local == "group" {
			b.groups[name] = n
		}
	}
	return b.walk(schema)
}

type bounds struct {
	groups map[string]*xmlx.Node
	// sizes are those of groups that are known; -1 while one is being counted.
	sizes map[string]int
}

// walk finds the outermost model groups and counts each.
func (b *bounds) walk(n *xmlx.Node) error {
	for _, c := range n.Elements() {
		limitRepeat(c)
		if c.Name.Space == Space && isModel(c.Name.Local) {
			if size := b.size(c); size > maxParticles {
				return fmt.Errorf("a content model allows more than %d elements in turn; use maxOccurs=\"unbounded\"", maxParticles)
			}
		}
		if err := b.walk(c); err != nil {
			return err
		}
	}
	return nil
}

func isModel(local string) bool { return local == "sequence" || local == "choice" || local == "all" }

// limitRepeat clamps what a particle says about how often it may stand.
func limitRepeat(n *xmlx.Node) {
	for i := range n.Attrs {
		a := &n.Attrs[i]
		if a.Name.Space != "" || a.Name.Local != "minOccurs" && a.Name.Local != "maxOccurs" {
			continue
		}
		digits := strings.TrimLeft(strings.TrimSpace(a.Value), "0")
		if count, err := strconv.Atoi(digits); err == nil && count <= maxRepeat || strings.Trim(digits, "0123456789") != "" || digits == "" {
			continue
		}
		a.Value = "unbounded"
		if a.Name.Local == "minOccurs" {
			a.Value = strconv.Itoa(maxRepeat)
		}
	}
}

// size is how many elements a particle may become when repetitions are written out; a little more than maxParticles stands for all that is more.
func (b *bounds) size(n *xmlx.Node) int {
	if n.Name.Space != Space {
		return 0
	}
	limitRepeat(n)
	own := 0
	switch local := n.Name.Local; {
	case local == "element", local == "any":
		own = 1
	case isModel(local):
		for _, c := range n.Elements() {
			own = min(own+b.size(c), maxParticles+1)
		}
	case local == "group":
		ref, _ := n.Attr("", "ref")
		own = b.group(ref[strings.IndexByte(ref, ':')+1:])
	}
	return min(own*repeats(n), maxParticles+1)
}

func (b *bounds) group(name string) int {
	size, known := b.sizes[name]
	definition := b.groups[name]
	if known || definition == nil {
		return max(size, 0)
	}
	b.sizes[name] = -1
	for _, c := range definition.Elements() {
		size = max(size, b.size(c))
	}
	b.sizes[name] = size
	return size
}

func repeats(n *xmlx.Node) int {
	count := 1
	for _, name := range [...]string{"minOccurs", "maxOccurs"} {
		if v, ok := n.Attr("", name); ok {
			if number, err := strconv.Atoi(strings.TrimSpace(v)); err == nil {
				count = max(count, number)
			}
		}
	}
	return count
}
