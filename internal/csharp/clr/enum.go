package clr

import (
	"strconv"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

func declareEnum(e *csharp.TypeBuilder) {
	e.Static("object Parse(Type enumType, string value)", csharp.F2(func(t *csharp.Type, s string) any { return enumParse(t, s, false) }))
	e.Static("object Parse(Type enumType, string value, bool ignoreCase)", csharp.F3(func(t *csharp.Type, s string, fold bool) any { return enumParse(t, s, fold) }))
	e.Static("TEnum Parse<TEnum>(string value)", csharp.F2(func(a typeArgs, s string) any { return enumParse(a[0], s, false) }))
	e.Static("TEnum Parse<TEnum>(string value, bool ignoreCase)", csharp.F3(func(a typeArgs, s string, fold bool) any { return enumParse(a[0], s, fold) }))
	e.Static("bool TryParse<TEnum>(string value, out TEnum result)", csharp.F3(func(a typeArgs, s string, out ref) bool { return enumTry(a[0], s, false, out) }))
	e.Static("bool TryParse<TEnum>(string value, bool ignoreCase, out TEnum result)", csharp.F4(func(a typeArgs, s string, fold bool, out ref) bool { return enumTry(a[0], s, fold, out) }))
	e.Static("bool IsDefined(Type enumType, object value)", csharp.F2(enumDefined))
	e.Static("string GetName(Type enumType, object value)", csharp.F2(func(t *csharp.Type, v any) string {
		names, values := t.EnumMembers()
		n, _ := csharp.Integer(v)
		for i := range values {
			if values[i] == n {
				return names[i]
			}
		}
		return csharp.Null()
	}))
	e.Static("string[] GetNames(Type enumType)", csharp.F2(func(r run, t *csharp.Type) array {
		names, _ := t.EnumMembers()
		return newStrings(r, names)
	}))
	e.Static("Array GetValues(Type enumType)", csharp.F1(func(t *csharp.Type) array {
		_, values := t.EnumMembers()
		a := &csharp.Array{Elem: t, Items: make([]any, len(values))}
		for i, v := range values {
			a.Items[i] = csharp.Enum{Type: t, Value: v}
		}
		return a
	}))
	declareEnumGeneric(e)
	e.Static("object ToObject(Type enumType, int value)", csharp.F2(func(t *csharp.Type, n int) any { return csharp.Enum{Type: t, Value: int64(n)} }))
}

func enumDefined(t *csharp.Type, v any) bool {
	names, values := t.EnumMembers()
	if s, ok := v.(string); ok {
		for _, n := range names {
			if n == s {
				return true
			}
		}
		return false
	}
	n, _ := csharp.Integer(v)
	for _, x := range values {
		if x == n {
			return true
		}
	}
	return false
}

// enumFind reads a name, a list of names or a number.
func enumFind(t *csharp.Type, s string, fold bool) (any, bool) {
	names, values := t.EnumMembers()
	total := int64(0)
	for _, part := range strings.Split(s, ",") {
		part = strings.TrimSpace(part)
		if n, err := strconv.ParseInt(part, 10, 32); err == nil {
			total |= n
			continue
		}
		ok := false
		for i, n := range names {
			if n == part || fold && strings.EqualFold(n, part) {
				total |= values[i]
				ok = true
				break
			}
		}
		if !ok {
			return nil, false
		}
	}
	return csharp.Enum{Type: t, Value: total}, true
}

func enumParse(t *csharp.Type, s string, fold bool) any {
	needString(s, "value")
	v, ok := enumFind(t, s, fold)
	if !ok {
		if strings.TrimSpace(s) == "" {
			csharp.ThrowArgument("System.ArgumentException", "Must specify valid information for parsing in the string.", "value")
		}
		csharp.Throwf("System.ArgumentException", "Requested value '%s' was not found.", s)
	}
	return v
}

func enumTry(t *csharp.Type, s string, fold bool, out ref) bool {
	v, ok := enumFind(t, s, fold)
	if !ok {
		v = csharp.Zero(t)
	}
	out.Value = v
	return ok
}
