package clr

import (
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// Format is string.Format's treatment of one value: ToString(spec) in the invariant culture; "" for null.
func Format(v any, spec string) string {
	if csharp.IsNull(spec) {
		spec = ""
	}
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case bool, csharp.Char:
		return text(v)
	case csharp.Enum:
		return formatEnum(x, spec)
	case csharp.Formatter:
		return x.Format(spec)
	}
	if spec == "" {
		return text(v)
	}
	if s, ok := formatNumber(v, spec); ok {
		return s
	}
	return text(v)
}

func formatEnum(e csharp.Enum, spec string) string {
	switch spec {
	case "", "G", "g", "F", "f":
		return e.ToString()
	case "D", "d":
		return strconv.FormatInt(e.Value, 10)
	case "X", "x":
		return strings.ToUpper(leftZeros(strconv.FormatUint(uint64(uint32(e.Value)), 16), 8))
	}
	formatError("Format string can be only \"G\", \"g\", \"X\", \"x\", \"F\", \"f\", \"D\" or \"d\".")
	return ""
}

func leftZeros(s string, n int) string {
	if len(s) >= n {
		return s
	}
	return strings.Repeat("0", n-len(s)) + s
}

// composite is string.Format with indexed items.
func composite(r run, format string, args []any) string {
	needString(format, "format")
	var b strings.Builder
	bad := func() {
		formatError("Input string was not in a correct format.")
	}
	for i := 0; i < len(format); {
		c := format[i]
		if c != '{' && c != '}' {
			b.WriteByte(c)
			i++
			continue
		}
		if i+1 < len(format) && format[i+1] == c {
			b.WriteByte(c)
			i += 2
			continue
		}
		if c == '}' {
			bad()
		}
		end := strings.IndexAny(format[i+1:], "{}")
		if end < 0 || format[i+1+end] == '{' {
			bad()
		}
		b.WriteString(compositeItem(r, format[i+1:i+1+end], args, bad))
		i += end + 2
		r.Alloc(16)
	}
	r.Alloc(b.Len())
	return b.String()
}

// compositeItem formats one {index[,width][:spec]}.
func compositeItem(r run, item string, args []any, bad func()) string {
	head, spec, _ := strings.Cut(item, ":")
	index, width, aligned := strings.Cut(head, ",")
	index = strings.TrimRight(index, " ")
	if index == "" || strings.Trim(index, "0123456789") != "" {
		bad()
	}
	n, err := strconv.Atoi(index)
	if err != nil || n >= len(args) {
		formatError("Index (zero based) must be greater than or equal to zero and less than the size of the argument list.")
	}
	s := Format(args[n], spec)
	if !aligned {
		return s
	}
	w, err := strconv.Atoi(strings.Trim(width, " "))
	if err != nil || w > 1_000_000 || w < -1_000_000 {
		bad()
	}
	return csharp.Pad(r, s, w)
}
