package xslt

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/causeway-apim/causeway/internal/xmlx/xpath"
)

// sortKey is an xsl:sort.
type sortKey struct {
	value                      *xpath.Expr
	order, dataType, caseOrder value
}

type sortKeys []sortKey

func (c *compiler) sortKey(n *xpath.Node) (k sortKey, err error) {
	if err := c.allow(n, "select", "lang", "data-type", "order", "case-order"); err != nil {
		return k, err
	}
	if k.value, err = c.attrExpr(n, "select", "."); err != nil {
		return k, err
	}
	for name, to := range map[string]*value{"order": &k.order, "data-type": &k.dataType, "case-order": &k.caseOrder} {
		if *to, _, err = c.attrValue(n, name); err != nil {
			return k, err
		}
	}
	return k, nil
}

// setting is the value of an optional attribute.
func setting(c *xpath.Context, v value, name string, allowed ...string) string {
	if v == nil {
		return allowed[0]
	}
	s := v(c)
	if !slices.Contains(allowed, s) {
		xpath.Fail(fmt.Errorf("<xsl:sort>: the attribute %q cannot be %q", name, s))
	}
	return s
}

// sorted are the nodes in the order of the keys.
func (keys sortKeys) sorted(_ *run, c *xpath.Context, nodes []*xpath.Node) []*xpath.Node {
	if len(keys) == 0 || len(nodes) < 2 {
		return nodes
	}
	type item struct {
		node *xpath.Node
		text []string
		num  []float64
	}
	type way struct{ down, number, upperFirst bool }
	ways := make([]way, len(keys))
	for i := range keys {
		ways[i] = way{
			down:       setting(c, keys[i].order, "order", "ascending", "descending") == "descending",
			number:     setting(c, keys[i].dataType, "data-type", "text", "number") == "number",
			upperFirst: setting(c, keys[i].caseOrder, "case-order", "", "upper-first", "lower-first") == "upper-first",
		}
	}
	items := make([]item, len(nodes))
	inner := *c
	inner.Size = len(nodes)
	for i, n := range nodes {
		c.Budget.Spend(len(keys))
		inner.Node, inner.Current, inner.Position = n, n, i+1
		it := item{n, make([]string, len(keys)), make([]float64, len(keys))}
		for k := range keys {
			v := keys[k].value.Eval(&inner)
			if ways[k].number {
				it.num[k] = xpath.ParseNumber(v.String())
			} else {
				it.text[k] = v.String()
			}
		}
		items[i] = it
	}
	slices.SortStableFunc(items, func(a, b item) int {
		c.Budget.Spend(1)
		for k, w := range ways {
			var order int
			if w.number {
				order = compareNumbers(a.num[k], b.num[k])
			} else {
				order = compareTexts(a.text[k], b.text[k], w.upperFirst)
			}
			if w.down {
				order = -order
			}
			if order != 0 {
				return order
			}
		}
		return 0
	})
	out := make([]*xpath.Node, len(items))
	for i := range items {
		out[i] = items[i].node
	}
	return out
}

// compareNumbers puts NaN first.
func compareNumbers(a, b float64) int {
	if math.IsNaN(a) || math.IsNaN(b) {
		return cmp.Compare(boolInt(!math.IsNaN(a)), boolInt(!math.IsNaN(b)))
	}
	return cmp.Compare(a, b)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compareTexts compares without regard to case; texts that differ in case only have the lower ones first unless it is said otherwise.
func compareTexts(a, b string, upperFirst bool) int {
	if order := strings.Compare(strings.ToLower(a), strings.ToLower(b)); order != 0 {
		return order
	}
	x, y := []rune(a), []rune(b)
	for i := range min(len(x), len(y)) {
		if x[i] == y[i] {
			continue
		}
		if unicode.IsLower(x[i]) != upperFirst {
			return -1
		}
		return 1
	}
	return 0
}
