package liquid

import (
	"slices"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

// filter is a function of a value and its arguments. An error of type filterError is written in the place of the value.
type filter func(r *run, in any, args []any) (any, error)

// findFilter returns the filter of that name or nil. DotLiquid in C# naming has UrlEncode; url_encode is understood too.
func findFilter(name string) filter {
	switch name = foldName(name); name {
	case "default":
		return defaultFilter
	case "date":
		return dateFilter
	case "size":
		return sizeFilter
	case "append":
		return func(_ *run, in any, args []any) (any, error) { return joined(in, argument(args, 0), in) }
	case "prepend":
		return func(_ *run, in any, args []any) (any, error) { return joined(argument(args, 0), in, in) }
	}
	for _, find := range []func(string) filter{textFilter, regexFilter, listFilter, numberFilter} {
		if f := find(name); f != nil {
			return f
		}
	}
	return nil
}

func argument(args []any, i int) any {
	if i < len(args) {
		return args[i]
	}
	return nil
}

// textArgument is the text of an argument, or a fallback when there is none.
func textArgument(args []any, i int, fallback string) string {
	if i < len(args) {
		return Text(args[i])
	}
	return fallback
}

// countArgument is the whole number of an argument, or a fallback when there is none.
func countArgument(args []any, i int, fallback int64) int64 {
	if n, ok := wholeNumber(argument(args, i)); ok {
		return n
	}
	return fallback
}

// joined is the text of a and b; null stays null.
func joined(a, b, in any) (any, error) {
	if in == nil {
		return nil, nil
	}
	return Text(a) + Text(b), nil
}

// defaultFilter gives its argument for null, false and what is empty.
func defaultFilter(_ *run, in any, args []any) (any, error) {
	if !truthy(in) || isEmpty(in) {
		return argument(args, 0), nil
	}
	return in, nil
}

func sizeFilter(_ *run, in any, _ []any) (any, error) {
	n, _ := size(in)
	return n, nil
}

// dateFilter writes a time, or a text that is one, in a .NET format; what is no time stays as it is.
func dateFilter(r *run, in any, args []any) (out any, err error) {
	t, ok := plain(in).(time.Time)
	if !ok {
		switch v := plain(in).(type) {
		case string:
			if t, ok = r.parseTime(v); !ok {
				return in, nil
			}
		case int64: // seconds since 1970
			t = time.Unix(v, 0)
		default:
			return in, nil
		}
	}
	format := textArgument(args, 0, "")
	defer func() {
		if recover() != nil { // the exception of .NET for a format that is none
			out, err = nil, filterError("Input string was not in a correct format.")
		}
	}()
	return clr.NewDateTime(t.UTC()).Format(format), nil
}

// dateLayouts are the forms in which texts are read as times.
func dateLayouts() []string {
	return []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04:05.999999999Z07:00",
		"2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "2006-01-02", "2006/01/02", "1/2/2006 15:04:05", "1/2/2006 3:04:05 PM",
		"1/2/2006 15:04", "1/2/2006", time.RFC1123, time.RFC1123Z, time.RFC850, time.ANSIC, "2 January 2006", "2 Jan 2006", "January 2, 2006",
		"Jan 2, 2006", "2 January 2006 15:04:05", "2 Jan 2006 15:04:05",
	}
}

func (r *run) parseTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	switch strings.ToLower(s) {
	case "now", "today":
		if r.env.Now != nil {
			return r.env.Now(), true
		}
	}
	for _, layout := range dateLayouts() {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// listFilter finds the filters of lists.
func listFilter(name string) filter {
	switch name {
	case "join":
		return func(_ *run, in any, args []any) (any, error) {
			if !isList(in) {
				return in, nil
			}
			texts := make([]string, 0, 8)
			for _, item := range items(in) {
				texts = append(texts, Text(item))
			}
			return strings.Join(texts, textArgument(args, 0, " ")), nil
		}
	case "first":
		return func(_ *run, in any, _ []any) (any, error) { return edge(in, 0), nil }
	case "last":
		return func(_ *run, in any, _ []any) (any, error) { return edge(in, -1), nil }
	case "map":
		return func(_ *run, in any, args []any) (any, error) {
			return each(in, func(item any) (any, bool) { return member(item, key(argument(args, 0))), true }), nil
		}
	case "compact":
		return func(_ *run, in any, _ []any) (any, error) {
			return each(in, func(item any) (any, bool) { return item, item != nil }), nil
		}
	case "sort":
		return sortFilter
	case "uniq":
		return uniqFilter
	case "reverse":
		return func(_ *run, in any, _ []any) (any, error) {
			list := slices.Clone(items(in))
			slices.Reverse(list)
			return list, nil
		}
	case "concat":
		return func(_ *run, in any, args []any) (any, error) {
			return slices.Concat(items(in), items(argument(args, 0))), nil
		}
	}
	return nil
}

// edge is the first or last item of a list, or character of a text.
func edge(in any, i int64) any {
	if s, ok := in.(string); ok {
		if s == "" {
			return nil
		}
		runes := []rune(s)
		if i < 0 {
			i = int64(len(runes)) - 1
		}
		return string(runes[i])
	}
	return element(in, i)
}

// each makes a list of what f keeps; what is no list stays as it is.
func each(in any, f func(item any) (any, bool)) any {
	if !isList(in) {
		return in
	}
	var out []any
	for _, item := range items(in) {
		if v, ok := f(item); ok {
			out = append(out, v)
		}
	}
	return out
}

// sortFilter sorts items, or their members of a name, null first.
func sortFilter(_ *run, in any, args []any) (any, error) {
	if !isList(in) {
		return in, nil
	}
	list := slices.Clone(items(in))
	of := func(item any) any { return item }
	if name := argument(args, 0); name != nil {
		of = func(item any) any { return member(item, key(name)) }
	}
	slices.SortStableFunc(list, func(a, b any) int {
		x, y := of(a), of(b)
		switch {
		case x == nil && y == nil:
			return 0
		case x == nil:
			return -1
		case y == nil:
			return 1
		}
		if n, ok := order(x, y); ok {
			return n
		}
		return strings.Compare(Text(x), Text(y))
	})
	return list, nil
}

func uniqFilter(r *run, in any, _ []any) (any, error) {
	if !isList(in) {
		return in, nil
	}
	var out []any
	for _, item := range items(in) {
		r.steps -= len(out) // each is compared with what is there
		if err := r.step(); err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(other any) bool { return equal(item, other) }) {
			out = append(out, item)
		}
	}
	return out, nil
}
