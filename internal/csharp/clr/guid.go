package clr

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// Guid is System.Guid in the order of its text; ToByteArray has the first three groups little-endian.
type Guid [16]byte

// ClrName is System.Guid.
func (Guid) ClrName() string { return "System.Guid" }

// ToString is the form with dashes.
func (g Guid) ToString() string { return g.Format("D") }

// Equals compares bytes.
func (g Guid) Equals(o any) bool { x, ok := o.(Guid); return ok && x == g }

// CompareTo compares in the order of the text.
func (g Guid) CompareTo(o any) int {
	if o == nil {
		return 1
	}
	x, ok := o.(Guid)
	if !ok {
		csharp.ThrowArgument("System.ArgumentException", "Object must be of type GUID.", "value")
	}
	return sign(bytes.Compare(g[:], x[:]))
}

// Format is ToString(spec): N, D, B, P or X.
func (g Guid) Format(spec string) string {
	n := hex.EncodeToString(g[:])
	d := n[:8] + "-" + n[8:12] + "-" + n[12:16] + "-" + n[16:20] + "-" + n[20:]
	switch spec {
	case "", "D", "d":
		return d
	case "N", "n":
		return n
	case "B", "b":
		return "{" + d + "}"
	case "P", "p":
		return "(" + d + ")"
	case "X", "x":
		return fmt.Sprintf("{0x%s,0x%s,0x%s,{0x%x,0x%x,0x%x,0x%x,0x%x,0x%x,0x%x,0x%x}}", n[:8], n[8:12], n[12:16],
			g[8:9], g[9:10], g[10:11], g[11:12], g[12:13], g[13:14], g[14:15], g[15:])
	}
	formatError("Format string can be only \"D\", \"d\", \"N\", \"n\", \"P\", \"p\", \"B\", \"b\", \"X\" or \"x\".")
	return ""
}

// NewGuid gives a random one (RFC 9562, version 4).
func NewGuid() Guid {
	var g Guid
	_, _ = rand.Read(g[:]) // never fails: see crypto/rand
	g[6] = g[6]&0x0f | 0x40
	g[8] = g[8]&0x3f | 0x80
	return g
}

// mixed gives the bytes in .NET's order, or takes them back.
func (g Guid) mixed() []byte {
	b := make([]byte, 16)
	binary.LittleEndian.PutUint32(b, binary.BigEndian.Uint32(g[:]))
	binary.LittleEndian.PutUint16(b[4:], binary.BigEndian.Uint16(g[4:]))
	binary.LittleEndian.PutUint16(b[6:], binary.BigEndian.Uint16(g[6:]))
	copy(b[8:], g[8:])
	return b
}

func guidOf(a, b, c int64, rest [8]byte) (g Guid) {
	binary.BigEndian.PutUint32(g[:], uint32(a))
	binary.BigEndian.PutUint16(g[4:], uint16(b))
	binary.BigEndian.PutUint16(g[6:], uint16(c))
	copy(g[8:], rest[:])
	return g
}

// parseGuid reads every form, or only that of format.
func parseGuid(s, format string) (g Guid, ok bool) {
	s = strings.TrimSpace(s)
	form := "N"
	switch {
	case strings.HasPrefix(s, "{0x") || strings.HasPrefix(s, "{0X"):
		form = "X"
		s = guidHexForm(s)
	case strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}"):
		form, s = "B", s[1:len(s)-1]
	case strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")"):
		form, s = "P", s[1:len(s)-1]
	case strings.Contains(s, "-"):
		form = "D"
	}
	if format != "" && !strings.EqualFold(format, form) {
		return Guid{}, false
	}
	if form == "D" || form == "B" || form == "P" {
		if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
			return Guid{}, false
		}
		s = s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	}
	if len(s) != 32 {
		return Guid{}, false
	}
	_, err := hex.Decode(g[:], []byte(s))
	return g, err == nil
}

// guidHexForm turns {0x…,0x…,0x…,{0x…,…}} into 32 digits; "" when it is not of that form.
func guidHexForm(s string) string {
	s = strings.NewReplacer("{", "", "}", "", " ", "").Replace(strings.ToLower(s))
	fields := strings.Split(s, ",")
	if len(fields) != 11 {
		return ""
	}
	var b strings.Builder
	for i, f := range fields {
		digits, ok := strings.CutPrefix(f, "0x")
		width := 2
		switch i {
		case 0:
			width = 8
		case 1, 2:
			width = 4
		}
		if !ok || digits == "" || len(digits) > width {
			return ""
		}
		b.WriteString(strings.Repeat("0", width-len(digits)) + digits)
	}
	return b.String()
}

func mustGuid(s, format string) Guid {
	needString(s, "input")
	g, ok := parseGuid(s, format)
	if !ok {
		switch strings.ToUpper(format) {
		case "N", "D":
			formatError("Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).")
		}
		formatError("Unrecognized Guid format.")
	}
	return g
}

func tryGuid(s, format string, out ref) bool {
	g, ok := parseGuid(s, format)
	if !ok {
		g = Guid{}
	}
	out.Value = g
	return ok
}

func declareGuid(b *csharp.Builder) {
	t := b.Type("struct System.Guid : IComparable, IComparable<Guid>, IEquatable<Guid>, IFormattable", csharp.Go[Guid]())
	t.New("(string g)", csharp.F1(func(s string) Guid { return mustGuid(s, "") }))
	t.New("(byte[] b)", csharp.F1(func(b []byte) Guid {
		if b == nil {
			csharp.ThrowArgumentNull("b")
		}
		if len(b) != 16 {
			csharp.ThrowArgument("System.ArgumentException", "Byte array for Guid must be exactly 16 bytes long.", "b")
		}
		return Guid(Guid(b).mixed())
	}))
	t.New("(int a, short b, short c, byte[] d)", csharp.F4(func(a, b, c int64, d []byte) Guid {
		if len(d) != 8 {
			csharp.ThrowArgument("System.ArgumentException", "Byte array for Guid must be exactly 8 bytes long.", "d")
		}
		return guidOf(a, b, c, [8]byte(d))
	}))
	t.New("(int a, short b, short c, byte d, byte e, byte f, byte g, byte h, byte i, byte j, byte k)",
		csharp.F11(func(a, b, c int64, d, e, f, g, h, i, j, k byte) Guid {
			return guidOf(a, b, c, [8]byte{d, e, f, g, h, i, j, k})
		}))
	t.Const("Guid Empty", Guid{})
	t.Static("Guid NewGuid()", csharp.F0(NewGuid))
	t.Static("Guid Parse(string input)", csharp.F1(func(s string) Guid { return mustGuid(s, "") }))
	t.Static("Guid ParseExact(string input, string format)", csharp.F2(func(s, format string) Guid {
		needString(s, "input")
		if len(format) != 1 || strings.IndexByte("DNPBXdnpbx", format[0]) < 0 {
			formatError(`Format string can be only "D", "d", "N", "n", "P", "p", "B", "b", "X" or "x".`)
		}
		return mustGuid(s, format)
	}))
	t.Static("bool TryParse(string input, out Guid result)", csharp.F2(func(s string, out ref) bool { return tryGuid(s, "", out) }))
	t.Static("bool TryParseExact(string input, string format, out Guid result)", csharp.F3(tryGuid))
	t.Method("byte[] ToByteArray()", csharp.F1(Guid.mixed))
	t.Method("byte[] ToByteArray(bool bigEndian)", csharp.F2(func(g Guid, big bool) []byte {
		if big {
			return slices.Clone(g[:])
		}
		return g.mixed()
	}))
	t.Static("Guid Parse(string s, IFormatProvider provider)", csharp.F2(func(s string, _ any) Guid { return mustGuid(s, "") }))
	t.Static("bool TryParse(string s, IFormatProvider provider, out Guid result)", csharp.F3(func(s string, _ any, out ref) bool { return tryGuid(s, "", out) }))
	t.StaticProp("Guid AllBitsSet", csharp.F0(func() Guid { return Guid(bytes.Repeat([]byte{0xFF}, 16)) }))
	t.Prop("int Version", csharp.F1(func(g Guid) int { return int(g[6] >> 4) }))
	t.Prop("int Variant", csharp.F1(func(g Guid) int { return int(g[8] >> 4) }))
	version7 := func(at DateTime) Guid {
		g := NewGuid()
		binary.BigEndian.PutUint64(g[:8], uint64((at.Ticks-unixEpochTicks)/ticksPerMillisecond)<<16|uint64(g[6]&0xF|0x70)<<8|uint64(g[7]))
		return g
	}
	t.Static("Guid CreateVersion7()", csharp.F1(func(r run) Guid { return version7(NewDateTime(r.Now())) }))
	t.Static("Guid CreateVersion7(DateTimeOffset timestamp)", csharp.F1(func(o DateTimeOffset) Guid {
		if o.utc() < unixEpochTicks {
			negative("timestamp", int((o.utc()-unixEpochTicks)/ticksPerMillisecond))
		}
		return version7(DateTime{Ticks: o.utc()})
	}))
	t.Method("string ToString()", csharp.F1(Guid.ToString))
	t.Method("string ToString(string format)", csharp.F2(Guid.Format))
	t.Method("string ToString(string format, IFormatProvider provider)", csharp.F3(func(g Guid, f string, _ any) string { return g.Format(f) }))
	t.Method("int CompareTo(Guid value)", csharp.F2(func(a, b Guid) int { return sign(bytes.Compare(a[:], b[:])) }))
	t.Method("int CompareTo(object value)", csharp.F2(func(a Guid, b any) int { return a.CompareTo(b) }))
	t.Method("bool Equals(Guid g)", csharp.F2(func(a, b Guid) bool { return a == b }))
	compareOps(t, "Guid", func(a, b Guid) int { return bytes.Compare(a[:], b[:]) })
}

func sign(n int) int { return compareInts(int64(n), 0) }
