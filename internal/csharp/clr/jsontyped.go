package clr

import (
	"math"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// This file is JsonConvert.DeserializeObject<T>. It reads the text by the type that is wanted, as Newtonsoft does: a number
// for a string keeps its spelling, and a string for a string is never taken for a date.

const jsonSerializationException = "Newtonsoft.Json.JsonSerializationException"

// deserialize is JsonConvert.DeserializeObject for a type.
func deserialize(r run, s string, t *csharp.Type) any { return deserializeWith(r, s, t, nil) }

func deserializeWith(r run, s string, t *csharp.Type, set *jsonSettings) any {
	needString(s, "value")
	p := &jsonReader{r: r, s: strings.TrimPrefix(s, "\ufeff"), dates: true}
	if set != nil {
		p.set, p.dates = *set, set.dates != datesAsText
	}
	p.space()
	if p.at >= len(p.s) {
		if t.IsValueType() && !t.IsNullable() {
			csharp.Throw(jsonSerializationException, "No JSON content found and type '"+t.FullName()+"' is not nullable. Path '', line 0, position 0.")
		}
		return nil
	}
	p.untyped = t.FullName() == "System.Object"
	v := p.typed(t)
	p.space()
	if p.at < len(p.s) {
		p.fail("Additional text encountered after finished reading JSON content: " + p.current() + ".")
	}
	return v
}

// typed reads one value as a T.
func (p *jsonReader) typed(t *csharp.Type) any {
	p.r.Step()
	p.space()
	if p.at >= len(p.s) {
		p.endTyped()
	}
	name := strings.TrimPrefix(t.FullName(), "System.")
	switch {
	case t.IsNullable():
		if p.word("null") {
			return nil
		}
		return p.typed(t.Args()[0])
	case name == "Object":
		tok := p.value()
		if x, ok := tok.(*JValue); ok {
			return x.v
		}
		return tok
	case strings.HasPrefix(name, "Newtonsoft.Json.Linq."):
		return p.typedToken(t)
	case name == "String":
		return p.typedString()
	case isSimpleType(t) || t.IsEnum():
		return p.typedSimple(t, name)
	case t.IsArray():
		if p.word("null") {
			return nil
		}
		return t.Elem().MakeArray(p.typedItems(t, t.Elem()))
	case len(t.Fields()) > 0:
		return p.typedRecord(t)
	}
	return p.typedCollection(t)
}

// word takes a word that stands for a value.
func (p *jsonReader) word(w string) bool {
	if !strings.HasPrefix(p.s[p.at:], w) || isNameByte(p.peek(len(w))) {
		return false
	}
	p.at += len(w)
	p.finished()
	return true
}

// endTyped is called where the text ends before a value or inside a container.
func (p *jsonReader) endTyped() {
	what := "object"
	if p.path[len(p.path)-1].list {
		what = "array"
	}
	p.failTyped("Unexpected end when deserializing " + what + ".")
}

// unexpected refuses the character at which a value begins.
func (p *jsonReader) unexpected() {
	c := p.current()
	p.at += len(c)
	p.fail("Unexpected character encountered while parsing value: " + c + ".")
}

// failTyped throws JsonSerializationException with path, line and position.
func (p *jsonReader) failTyped(message string) {
	place := p.place()
	if strings.HasSuffix(message, "\n") {
		place = place[1:]
	}
	csharp.Throw(jsonSerializationException, message+place)
}

func (p *jsonReader) typedToken(t *csharp.Type) any {
	tok := p.value()
	if p.r.Library().InstanceOf(tok, t) {
		return tok
	}
	if tok.kind() == jsonNull {
		return nil
	}
	p.failTyped("Deserialized JSON type '" + tok.ClrName() + "' is not compatible with expected type '" + t.FullName() + "'.")
	return nil
}

func (p *jsonReader) typedString() any {
	switch c := p.s[p.at]; {
	case c == '"' || c == '\'':
		defer p.finished()
		return p.quoted()
	case p.word("null"):
		return nil
	case p.word("true"):
		return "true"
	case p.word("false"):
		return "false"
	case p.word("NaN"):
		return "NaN"
	case p.word("Infinity"):
		return "Infinity"
	case p.word("-Infinity"):
		return "-Infinity"
	case c == '-' || c == '.' || c >= '0' && c <= '9':
		start := p.at
		p.number()
		p.finished()
		return p.s[start:p.at]
	}
	p.unexpected()
	return nil
}

// textNames are the words for types in messages about strings.
var textNames = map[string]string{
	"Byte": "integer", "Int16": "integer", "Int32": "integer", "Double": "double", "Single": "double", "Decimal": "decimal",
	"Boolean": "boolean", "DateTime": "DateTime", "DateTimeOffset": "DateTimeOffset",
}

// typedSimple reads numbers, dates and the like.
func (p *jsonReader) typedSimple(t *csharp.Type, name string) any {
	what := textNames[name]
	if c := p.s[p.at]; what != "" && (c == '{' || c == '[' || c == 'u' || (c == 't' || c == 'f') && name != "Boolean") {
		p.unexpected()
	}
	if c := p.s[p.at]; what != "" && strings.IndexByte(`"'-.0123456789nNItf`, c) < 0 || c == 'n' && p.peek(1) == 'e' {
		p.unexpected()
	}
	if c := p.s[p.at]; c == '{' || c == '[' {
		p.notA(t, "primitive value", "string, number, boolean, null")
	}
	isText := p.s[p.at] == '"' || p.s[p.at] == '\''
	start := p.at
	p.dates = what == "" && !t.IsEnum()
	tok := p.value()
	p.dates = true
	x, ok := tok.(*JValue)
	if !ok {
		p.failTyped("Error converting value to type '" + t.FullName() + "'.")
	}
	if x.typ == jsonNull && t.FullName() != "System.Uri" && name != "Byte[]" {
		p.failTyped("Error converting value {null} to type '" + t.FullName() + "'.")
	}
	if what == "integer" && x.typ == jsonFloat {
		p.fail("Input string '" + p.s[start:p.at] + "' is not a valid integer.")
	}
	if n, ok := jsonNumber(x.v); what == "integer" && !isText && ok && (n < math.MinInt32 || n > math.MaxInt32) {
		p.fail("JSON integer " + p.s[start:p.at] + " is too large or small for an Int32.")
	}
	if name == "Byte[]" && isText {
		return castToken(p.r, x, t) // a FormatException of its own
	}
	if name == "Decimal" && !isText && x.typ == jsonFloat {
		x = &JValue{typ: jsonString, v: p.s[start:p.at]} // keeps the scale
	}
	v, ok := p.simpleValue(x, t, name, isText)
	switch {
	case !ok && what != "" && isText:
		p.fail("Could not convert string to " + what + ": " + text(x.v) + ".")
	case !ok:
		shown := p.s[start:p.at]
		if x.typ == jsonBoolean {
			shown = text(x.v)
		}
		p.failTyped("Error converting value " + shown + " to type '" + t.FullName() + "'.")
	}
	return v
}

// simpleValue converts; ok is false where .NET's conversion throws.
func (p *jsonReader) simpleValue(x *JValue, t *csharp.Type, name string, isText bool) (v any, ok bool) {
	defer func() {
		if e := recover(); e != nil {
			if _, exception := e.(*csharp.Exception); !exception {
				panic(e)
			}
			v, ok = nil, false
		}
	}()
	switch {
	case t.IsEnum():
		return enumOfToken(p.r, x, t), true
	case name == "Boolean" && isText:
		return boolOfText(text(x.v))
	case (name == "DateTime" || name == "DateTimeOffset") && isText:
		if d, ok := parseJSONDate(text(x.v)); ok && name == "DateTime" {
			return d, true
		}
	}
	return castToken(p.r, x, t), true
}

func boolOfText(s string) (any, bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return nil, false
}

// typedItems reads an array whose type is called t in messages.
func (p *jsonReader) typedItems(t, elem *csharp.Type) []any {
	if p.s[p.at] != '[' {
		p.notA(t, "array", "[1,2,3]")
	}
	p.enter(true)
	var out []any
	for p.space(); p.peek(0) != ']'; p.space() {
		if p.at >= len(p.s) {
			p.endTyped()
		}
		p.r.Alloc(16)
		out = append(out, p.typed(elem))
		if !p.nextTyped(']') {
			break
		}
	}
	p.leave()
	return out
}

// nextTyped is next in the container of a typed value, which has to be whole.
func (p *jsonReader) nextTyped(end byte) bool {
	if p.space(); p.at >= len(p.s) {
		p.endTyped()
	}
	return p.next(end)
}

// typedMembers reads an object, calling each with the name at the start of every value.
func (p *jsonReader) typedMembers(t *csharp.Type, each func(name string)) {
	if p.s[p.at] != '{' {
		p.notA(t, "object", `{"name":"value"}`)
	}
	p.enter(false)
	for p.space(); p.peek(0) != '}'; p.space() {
		if p.at >= len(p.s) {
			p.endTyped()
		}
		each(p.name())
		if !p.nextTyped('}') {
			break
		}
	}
	p.leave()
}

// firstEnds tells whether the container that the reader has entered ends at once.
func (p *jsonReader) firstEnds(end byte) bool {
	p.space()
	return p.peek(0) == end
}

// toFix is Newtonsoft's advice where an object or an array stands for something else.
func toFix(object bool, kind, example string) string {
	advice := " or change the deserialized type to an array or a type that implements a collection interface (e.g. ICollection, IList)" +
		" like List<T> that can be deserialized from a JSON array. JsonArrayAttribute can also be added to the type to force it to deserialize from a JSON array.\n"
	if object {
		advice = " or change the deserialized type so that it is a normal .NET type (e.g. not a primitive type like integer, not a collection type like an array or List<T>)" +
			" that can be deserialized from a JSON object. JsonObjectAttribute can also be added to the type to force it to deserialize from a JSON object.\n"
	}
	return "To fix this error either change the JSON to a JSON " + kind + " (e.g. " + example + ")" + advice
}

// notA refuses a value of the wrong kind.
func (p *jsonReader) notA(t *csharp.Type, kind, example string) {
	if c := p.s[p.at]; c == '{' || c == '[' {
		have, haveExample := "object", `{"name":"value"}`
		if c == '[' {
			have, haveExample = "array", "[1,2,3]"
		}
		if c == '{' { // Newtonsoft has read on to the first name
			if p.enter(false); p.firstEnds('}') {
				p.leave()
			} else if p.at < len(p.s) {
				p.name()
			}
		} else {
			p.at++
		}
		p.failTyped("Cannot deserialize the current JSON " + have + " (e.g. " + haveExample + ") into type '" + t.FullName() +
			"' because the type requires a JSON " + kind + " (e.g. " + example + ") to deserialize correctly.\n" +
			toFix(c == '{', kind, example))
	}
	start := p.at
	x := p.value()
	shown := p.s[start:p.at]
	if x.kind() == jsonString {
		shown = jsonText(x, false)
	}
	p.failTyped("Error converting value " + shown + " to type '" + t.FullName() + "'.")
}

// typedRecord reads an anonymous type; members that are missing have their default.
func (p *jsonReader) typedRecord(t *csharp.Type) any {
	if p.word("null") {
		return nil
	}
	names, types := t.Fields(), t.FieldTypes()
	rec := &csharp.Record{Type: t, Values: make([]any, len(names))}
	for i, ft := range types {
		rec.Values[i] = csharp.Zero(ft)
	}
	p.typedMembers(t, func(name string) {
		for i, n := range names {
			if strings.EqualFold(n, name) {
				rec.Values[i] = p.typed(types[i])
				return
			}
		}
		p.value()
	})
	return rec
}

// dictionaryKey makes a key of the name of a property.
func (p *jsonReader) dictionaryKey(name string, t *csharp.Type) any {
	if t.FullName() == "System.String" || t.FullName() == "System.Object" {
		return name
	}
	key, ok := p.simpleValue(&JValue{typ: jsonString, v: name}, t, strings.TrimPrefix(t.FullName(), "System."), true)
	if !ok {
		p.failTyped("Could not convert string '" + name + "' to dictionary key type '" + t.FullName() +
			"'. Create a TypeConverter to convert from the string to the key type object.")
	}
	return key
}

// typedCollection builds lists, sets and dictionaries.
func (p *jsonReader) typedCollection(t *csharp.Type) any {
	if p.word("null") {
		return nil
	}
	args := t.Args()
	lib := p.r.Library()
	name, _, _ := strings.Cut(t.Name(), "`")
	switch {
	case len(args) == 2 && (name == "Dictionary" || name == "IDictionary" || name == "IReadOnlyDictionary"):
		d := NewDictionary(lib, lib.MustType("System.Collections.Generic.Dictionary<string, object>").Definition().Of(args...), nil)
		p.typedMembers(t, func(name string) {
			p.r.Alloc(64)
			key := p.dictionaryKey(name, args[0])
			d.Set(key, p.typed(args[1]))
		})
		return d
	case len(args) == 1 && name == "HashSet":
		set := newSet(lib.MustType("System.Collections.Generic.HashSet<object>").Definition().Of(args[0]), nil)
		for _, v := range p.typedItems(t, args[0]) {
			set.Add(p.r, v)
		}
		return set
	case len(args) == 1 && (name == "List" || t.IsInterface()):
		list := lib.MustType("System.Collections.Generic.List<object>").Definition().Of(args[0])
		return NewList(list, p.typedItems(t, args[0]))
	}
	p.failTyped("Unable to find a constructor to use for type " + t.FullName() + ".")
	return nil
}
