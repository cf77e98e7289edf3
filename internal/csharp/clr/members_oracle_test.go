//go:build oracle

package clr_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

const missingMembers = "testdata/oracle/missing.txt"

// TestOracleMembers compares the members of the published types with those that .NET has. testdata/oracle/missing.txt lists what
// is not there, apart from what notOffered leaves out on purpose; -update writes it anew.
//
//	CAUSEWAY_ORACLE=DIR go test -tags oracle -run TestOracleMembers ./internal/csharp/clr
func TestOracleMembers(t *testing.T) {
	body, err := os.ReadFile("testdata/oracle/members.cs")
	if err != nil {
		t.Fatal(err)
	}
	allowed, err := os.ReadFile("testdata/oracle/allowed.txt")
	if err != nil {
		t.Fatal(err)
	}
	var lines []oracleLine
	only := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(allowed)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, members, _ := strings.Cut(line, ": ")
		only[name] = strings.Fields(members)
		lines = append(lines, oracleLine{ID: name, Expr: "@{" + strings.ReplaceAll(string(body), "SUBJECT", name) + "}"})
	}
	ours := ourMembers()
	theirs := outcomes(t, askOracle(t, encodeLines(t, lines)))
	var out []string
	total, offered := 0, 0
	seen := map[string]bool{}
	for _, l := range lines {
		if theirs[l.ID].Result == nil {
			t.Fatalf("%s: %s", l.ID, show(theirs[l.ID]))
		}
		var chain []string
		owner := ""
		for _, decl := range strings.Split(*theirs[l.ID].Result, "\n") {
			if full, ok := strings.CutPrefix(decl, "type "); ok {
				owner, _, _ = strings.Cut(full, "[")
				owner = strings.ReplaceAll(owner, "+", ".")
				chain = append(chain, owner)
				continue
			}
			if decl == "" {
				continue // Object and Enum themselves
			}
			s := readMember(decl)
			if len(only[l.ID]) > 0 && !slices.Contains(only[l.ID], strings.Replace(s.name, "this", "Item", 1)) || notOffered.MatchString(decl) || seen[owner+decl] {
				continue
			}
			seen[owner+decl] = true
			total++
			if slices.ContainsFunc(chain, func(c string) bool { return slices.ContainsFunc(ours[c], s.servedBy) }) || inEveryType(s) {
				offered++
				continue
			}
			out = append(out, owner+": "+decl)
		}
	}
	text := strings.Join(out, "\n") + "\n"
	if *update {
		if err := os.WriteFile(missingMembers, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d members", offered, total)
	if have, err := os.ReadFile(missingMembers); err != nil || string(have) != text {
		t.Errorf("what is missing has changed (%v): run with -update", err)
	}
}

// notOffered are the members that an expression cannot have or that have no use in one: memory, streams, tasks, readers and
// writers of JSON and XML, serialization, the files of the machine and what makes other types of numbers.
var notOffered = regexp.MustCompile(`Span<|SpanSplit|SpanLine|Memory<|Half\b|Int128|IntPtr|Vector|Rune|Utf8|BigInteger|\*|Stream\b|Task|IAsync|IQueryable|` +
	`SerializationInfo|SafeHandle|SecureString|TypeCode GetTypeCode|InterpolatedStringHandler|CancellationToken|GetPinnableReference|RefOrDefaultRef|` +
	`JsonReader|JsonWriter|JsonSerializer\b|JsonConverter|XmlReader|XmlWriter|IDataReader|GetMetaObject|` +
	`AlternateLookup|ChunkEnumerator|CompositeFormat|TInteger|ISpanFormattable|Type GetType\(\)|OnDeserialization|` +
	`(?:string )fileName|ForceOverwrite|PemFile|FromFile\(|CspParameters|UriCreationOptions|Calendar\b|DateOnly|TimeOnly`)

func inEveryType(s netMember) bool {
	return (s.name == "ToString" || s.name == "GetHashCode" || s.name == "GetType") && len(s.params) == 0 || s.name == "Equals" && slices.Equal(s.params, []string{"object"})
}

// netMember is a member with the types of its parameters.
type netMember struct {
	name     string
	params   []string
	optional int
	variadic bool
}

var typeParameter = regexp.MustCompile(`\bT[A-Z]?[A-Za-z]*\b|\b[UT]\d?\b`)

// readMember reads a declaration, ours or that of members.cs.
func readMember(decl string) netMember {
	if before, index, ok := strings.Cut(decl, "this["); ok {
		decl = before + "this(" + strings.TrimSuffix(index, "]") + ")"
	}
	head, rest := decl, ""
	if strings.HasSuffix(decl, ")") {
		depth, i := 0, len(decl)
		for more := true; more; more = depth > 0 {
			i--
			switch decl[i] {
			case ')':
				depth++
			case '(':
				depth--
			}
		}
		head, rest = decl[:i], decl[i+1:len(decl)-1]
	}
	if strings.HasPrefix(head, "implicit ") || strings.HasPrefix(head, "explicit ") || strings.HasPrefix(head, "conversion ") {
		head = "conversion"
	}
	m := netMember{name: memberName.FindStringSubmatch(head)[1]}
	for _, p := range cutParams(rest) {
		if strings.Contains(p, " = ") {
			m.optional++
		}
		p, _, _ = strings.Cut(p, " = ")
		p = strings.TrimPrefix(p, "this ")
		if q, ok := strings.CutPrefix(p, "params "); ok {
			p, m.variadic = q, true
		}
		p = p[:strings.LastIndexByte(p, ' ')]
		for _, space := range []string{"System.Globalization.", "System.Collections.", "System.Xml.", "System."} {
			p = strings.ReplaceAll(p, space, "")
		}
		m.params = append(m.params, p)
	}
	return m
}

var memberName = regexp.MustCompile(`([.\w]+|operator \S+)(?:<[^<>]*>)?$`)

func cutParams(s string) []string {
	var out []string
	depth, from := 0, 0
	for i, c := range s {
		switch c {
		case '<', '(', '[':
			depth++
		case '>', ')', ']':
			depth--
		case ',':
			if depth == 0 {
				out, from = append(out, s[from:i]), i+2
			}
		}
	}
	if from < len(s) {
		out = append(out, s[from:])
	}
	return out
}

// servedBy tells whether a call of s compiles with our member o.
func (s netMember) servedBy(o netMember) bool {
	n := len(s.params)
	if s.name != o.name || n > len(o.params) && !o.variadic || n < len(o.params)-o.optional && !(o.variadic && n == len(o.params)-1) {
		return false
	}
	for i, p := range s.params {
		var q string
		switch last := len(o.params) - 1; {
		case o.variadic && i >= last && !(i == last && strings.HasSuffix(p, "[]")):
			q = strings.TrimSuffix(o.params[last], "[]")
		default:
			q = o.params[i]
		}
		if !takes(q, p) {
			return false
		}
	}
	return true
}

// widening lists what an argument of a type converts to besides, in order.
var widening = map[string]string{
	"sbyte": "short int long float double decimal", "byte": "short ushort int uint long ulong float double decimal",
	"short": "int long float double decimal", "ushort": "int uint long ulong float double decimal", "int": "long float double decimal",
	"uint": "long ulong float double decimal", "long": "float double decimal", "ulong": "float double decimal",
	"char": "ushort int uint long ulong float double decimal", "float": "double",
}

func takes(to, from string) bool {
	if to == from || to == "object" || slices.Contains(strings.Fields(widening[from]), to) {
		return true
	}
	if typeParameter.FindString(from) == from || typeParameter.FindString(to) == to {
		return true
	}
	if strings.Contains(from, "<T") || strings.HasSuffix(from, "[]") {
		f, _, _ := strings.Cut(from, "<")
		o, _, _ := strings.Cut(to, "<")
		return f == o || strings.HasSuffix(to, "[]") && takes(strings.TrimSuffix(to, "[]"), strings.TrimSuffix(from, "[]")) || o == "IEnumerable" && strings.HasSuffix(from, "[]")
	}
	return false
}

// ourMembers lists the library's members by the full name of their type.
func ourMembers() map[string][]netMember {
	out := map[string][]netMember{}
	for _, t := range clr.Library().Describe() {
		name, params, generic := strings.Cut(t.Name, "<")
		if generic {
			name += fmt.Sprintf("`%d", strings.Count(params, ",")+1)
		}
		full := t.Namespace + "." + name
		for _, m := range t.Members {
			d := m.Decl
			if m.Group == "constructor" {
				_, rest, _ := strings.Cut(d, "(")
				d = "new .ctor(" + rest
			}
			out[full] = append(out[full], readMember(d))
		}
	}
	return out
}
