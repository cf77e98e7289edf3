package clr

import (
	"fmt"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// A jsonSettings is Newtonsoft.Json.JsonSerializerSettings; zero values are the defaults.
type jsonSettings struct {
	formatting, nulls, dates, zone, floats, escape int
	maxDepth                                       int // 0: the default, below: none
}

// ClrName is Newtonsoft.Json.JsonSerializerSettings.
func (*jsonSettings) ClrName() string { return "Newtonsoft.Json.JsonSerializerSettings" }

// The members of the enums of Newtonsoft.Json that matter.
const (
	nullsIgnored    = 1 // NullValueHandling.Ignore
	datesAsText     = 0 // DateParseHandling.None; the default is DateTime
	datesWithOffset = 2
	escapeNonASCII  = 1 // StringEscapeHandling
	escapeHTML      = 2
	duplicateKept   = 1 // DuplicatePropertyNameHandling.Ignore
	duplicateError  = 2
)

// A loadSettings is JsonLoadSettings.
type loadSettings struct{ comments, lines, duplicates int }

// ClrName is Newtonsoft.Json.Linq.JsonLoadSettings.
func (*loadSettings) ClrName() string { return "Newtonsoft.Json.Linq.JsonLoadSettings" }

// A selectSettings is JsonSelectSettings.
type selectSettings struct{ must bool }

// ClrName is Newtonsoft.Json.Linq.JsonSelectSettings.
func (*selectSettings) ClrName() string { return "Newtonsoft.Json.Linq.JsonSelectSettings" }

func newJSONSettings() *jsonSettings { return &jsonSettings{dates: 1, zone: 3} }

// serializeWith is SerializeObject with settings.
func serializeWith(r run, v any, indented bool, s *jsonSettings) string {
	w := jsonWriter{indented: indented}
	if s != nil {
		w.escape, w.zone = s.escape, &s.zone
	}
	if !w.scalar(v) {
		t := tokenOf(r, v)
		if _, isToken := v.(JToken); s != nil && s.nulls == nullsIgnored && !isToken {
			dropNulls(t)
		}
		w.token(t)
	}
	r.Alloc(len(w.b))
	return string(w.b)
}

// dropNulls takes properties of value null out of what was made from a value.
func dropNulls(t JToken) {
	for _, c := range jsonChildren(t) {
		dropNulls(c)
	}
	o, ok := t.(*JObject)
	if !ok {
		return
	}
	kept := &JObject{}
	for _, p := range o.props {
		if p.value.kind() != jsonNull {
			p.parent = o
			kept.append(p)
		}
	}
	o.props, o.index = kept.props, kept.index
}

// escaped is a string in JSON under StringEscapeHandling.
func escapedJSON(b []byte, s string, how int) []byte {
	if how == 0 {
		return appendJSONString(b, s)
	}
	plain := appendJSONString(nil, s)
	if how == escapeHTML {
		plain = append(append([]byte{'"'}, strings.ReplaceAll(string(plain[1:len(plain)-1]), `\"`, `\u0022`)...), '"')
	}
	for i, u := range csharp.Units(string(plain)) {
		edge := i == 0 || i == csharp.Length(string(plain))-1
		if how == escapeNonASCII && u >= 0x7f || how == escapeHTML && !edge && strings.ContainsRune("<>&'", rune(u)) {
			b = fmt.Appendf(b, `\u%04x`, u)
		} else {
			b = csharp.AppendUnit(b, u)
		}
	}
	return b
}

// inZone moves a time as DateTimeZoneHandling says.
func inZone(d DateTime, zone int) DateTime {
	switch zone {
	case 0:
		d.Kind = KindLocal
	case 1:
		d.Kind = KindUTC
	case 2:
		d.Kind = KindUnspecified
	}
	return d
}

func declareJSONSettings(b *csharp.Builder) {
	for name, members := range map[string][]string{
		"NullValueHandling": {"Include", "Ignore"}, "DateParseHandling": {"None", "DateTime", "DateTimeOffset"},
		"DateTimeZoneHandling": {"Local", "Utc", "Unspecified", "RoundtripKind"}, "FloatParseHandling": {"Double", "Decimal"},
		"StringEscapeHandling": {"Default", "EscapeNonAscii", "EscapeHtml"},
	} {
		b.Enum("Newtonsoft.Json."+name, false, members, countTo(len(members))).Outside()
	}
	for name, members := range map[string][]string{
		"CommentHandling": {"Ignore", "Load"}, "LineInfoHandling": {"Ignore", "Load"}, "DuplicatePropertyNameHandling": {"Replace", "Ignore", "Error"},
	} {
		b.Enum("Newtonsoft.Json.Linq."+name, false, members, countTo(len(members))).Outside()
	}
	t := b.Type("class Newtonsoft.Json.JsonSerializerSettings", csharp.Go[*jsonSettings]()).Outside()
	t.New("()", csharp.F0(newJSONSettings))
	for name, field := range map[string]func(*jsonSettings) *int{
		"Formatting": func(s *jsonSettings) *int { return &s.formatting }, "NullValueHandling": func(s *jsonSettings) *int { return &s.nulls },
		"DateParseHandling": func(s *jsonSettings) *int { return &s.dates }, "DateTimeZoneHandling": func(s *jsonSettings) *int { return &s.zone },
		"FloatParseHandling": func(s *jsonSettings) *int { return &s.floats }, "StringEscapeHandling": func(s *jsonSettings) *int { return &s.escape },
	} {
		t.Prop(name+" "+name, csharp.F1(func(s *jsonSettings) int { return *field(s) }), csharp.V2(func(s *jsonSettings, v int) { *field(s) = v }))
	}
	t.Prop("int? MaxDepth", csharp.F1(func(s *jsonSettings) any {
		switch {
		case s.maxDepth == 0:
			return int32(maxJSONDepth)
		case s.maxDepth < 0:
			return nil
		}
		return int32(s.maxDepth)
	}), csharp.V2(func(s *jsonSettings, v any) {
		n, ok := v.(int32)
		switch {
		case !ok:
			s.maxDepth = -1
		case n <= 0:
			csharp.ThrowArgument("System.ArgumentException", "Value must be positive.", "value")
		default:
			s.maxDepth = int(n)
		}
	}))
	l := b.Type("class Newtonsoft.Json.Linq.JsonLoadSettings", csharp.Go[*loadSettings]()).Outside()
	l.New("()", csharp.F0(func() *loadSettings { return &loadSettings{} }))
	for name, field := range map[string]func(*loadSettings) *int{
		"CommentHandling": func(s *loadSettings) *int { return &s.comments }, "LineInfoHandling": func(s *loadSettings) *int { return &s.lines },
		"DuplicatePropertyNameHandling": func(s *loadSettings) *int { return &s.duplicates },
	} {
		l.Prop(name+" "+name, csharp.F1(func(s *loadSettings) int { return *field(s) }), csharp.V2(func(s *loadSettings, v int) { *field(s) = v }))
	}
	s := b.Type("class Newtonsoft.Json.Linq.JsonSelectSettings", csharp.Go[*selectSettings]()).Outside()
	s.New("()", csharp.F0(func() *selectSettings { return &selectSettings{} }))
	s.Prop("bool ErrorWhenNoMatch", csharp.F1(func(s *selectSettings) bool { return s.must }), csharp.V2(func(s *selectSettings, v bool) { s.must = v }))
}

func declareJSONConvertSettings(t *csharp.TypeBuilder) {
	serialize := func(r run, v any, f int, s *jsonSettings) string { return serializeWith(r, v, f == 1, s) }
	t.Static("string SerializeObject(object value, JsonSerializerSettings settings)", csharp.F3(func(r run, v any, s *jsonSettings) string {
		return serializeWith(r, v, s != nil && s.formatting == 1, s)
	}))
	t.Static("string SerializeObject(object value, Formatting formatting, JsonSerializerSettings settings)", csharp.F4(serialize))
	t.Static("object DeserializeObject(string value, JsonSerializerSettings settings)", csharp.F3(func(r run, s string, set *jsonSettings) any {
		return deserializeWith(r, s, r.Library().MustType("object"), set)
	}))
	t.Static("T DeserializeObject<T>(string value, JsonSerializerSettings settings)", csharp.F4(func(a typeArgs, r run, s string, set *jsonSettings) any {
		return deserializeWith(r, s, a[0], set)
	}))
	t.Static("object DeserializeObject(string value, Type type, JsonSerializerSettings settings)", csharp.F4(deserializeWith))
	for name, value := range map[string]string{
		"True": "true", "False": "false", "Null": "null", "Undefined": "undefined", "PositiveInfinity": "Infinity", "NegativeInfinity": "-Infinity", "NaN": "NaN",
	} {
		t.Const("string "+name, value).Outside()
	}
}

// zone is DateTimeZoneHandling of the reader.
func (p *jsonReader) zone() int {
	if p.set == (jsonSettings{}) {
		return 3
	}
	return p.set.zone
}

// member adds a property, of which there may be one by that name already.
func (p *jsonReader) member(o *JObject, name string, v JToken) {
	if p.twice != 0 && o.find(name) >= 0 {
		if p.twice == duplicateError {
			p.fail("Property with the name '" + name + "' already exists in the current JSON object.")
		}
		return
	}
	o.Set(name, v)
}
