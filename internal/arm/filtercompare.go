package arm

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

type compareOp uint8

const (
	opEq compareOp = iota
	opNe
	opGt
	opGe
	opLt
	opLe
)

func parseOp(t token) (compareOp, bool) {
	if t.kind != tokName {
		return 0, false
	}
	i := slices.Index([]string{"eq", "ne", "gt", "ge", "lt", "le"}, strings.ToLower(t.text))
	return compareOp(max(i, 0)), i >= 0
}

// mirrored is the operator with its sides exchanged.
func (op compareOp) mirrored() compareOp {
	switch op {
	case opGt:
		return opLt
	case opGe:
		return opLe
	case opLt:
		return opGt
	case opLe:
		return opGe
	}
	return op
}

// holds compares a field's value with a literal. A field that is not set equals null only.
func (op compareOp) holds(have, want any) bool {
	if have == nil || want == nil {
		return (have == nil && want == nil) == (op == opEq) && op <= opNe
	}
	switch w := want.(type) {
	case string:
		if op == opNe { // of a list: none of them
			return !anyString(have, func(s string) bool { return strings.EqualFold(s, w) })
		}
		return anyString(have, func(s string) bool { return op.test(compareFold(s, w)) })
	case float64:
		h, ok := have.(float64)
		return ok && op.test(cmp.Compare(h, w))
	case bool:
		h, ok := have.(bool)
		return ok && (h == w) == (op == opEq)
	case time.Time:
		h, ok := have.(time.Time)
		return ok && op.test(h.Compare(w))
	}
	return false
}

func (op compareOp) test(order int) bool {
	switch op {
	case opEq:
		return order == 0
	case opNe:
		return order != 0
	case opGt:
		return order > 0
	case opGe:
		return order >= 0
	case opLt:
		return order < 0
	default:
		return order <= 0
	}
}

func compareFold(a, b string) int {
	if strings.EqualFold(a, b) {
		return 0
	}
	return strings.Compare(strings.ToLower(a), strings.ToLower(b))
}

func anyString(v any, test func(string) bool) bool {
	switch v := v.(type) {
	case string:
		return test(v)
	case []string:
		return slices.ContainsFunc(v, test)
	}
	return false
}
