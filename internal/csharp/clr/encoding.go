package clr

import (
	"encoding/binary"
	"strings"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// An Encoding is System.Text.Encoding.
type Encoding struct {
	clrName  string
	codePage int
	web      string // WebName
	title    string // EncodingName
	preamble string
	single   bool
	maxBytes func(chars int) int
	maxChars func(bytes int) int
	decode   func([]byte) string
	encode   func(string) []byte
}

// ClrName is the name of the class behind the encoding.
func (e *Encoding) ClrName() string { return e.clrName }

// ToString is the class name.
func (e *Encoding) ToString() string { return e.clrName }

// Equals compares code pages and preambles.
func (e *Encoding) Equals(o any) bool {
	x, ok := o.(*Encoding)
	return ok && x.codePage == e.codePage && x.preamble == e.preamble
}

// getString decodes, with the memory accounted for.
func (e *Encoding) getString(r run, b []byte) string {
	if b == nil {
		csharp.ThrowArgumentNull("bytes")
	}
	r.Alloc(2 * len(b))
	return e.decode(b)
}

func (e *Encoding) getBytes(r run, s string) []byte {
	needString(s, "s")
	r.Alloc(4 * len(s))
	return e.encode(s)
}

func (e *Encoding) getCharBytes(r run, a array) []byte {
	if a == nil {
		csharp.ThrowArgumentNull("chars")
	}
	return e.getBytes(r, charsToString(a))
}

// byteRange checks and takes a part of an array.
func byteRange(b []byte, index, count int, name string) []byte {
	switch {
	case b == nil:
		csharp.ThrowArgumentNull(name)
	case index < 0:
		outOfRange("index", "Non-negative number required.")
	case count < 0:
		outOfRange("count", "Non-negative number required.")
	case len(b)-index < count:
		outOfRange(name, "Index and count must refer to a location within the buffer.")
	}
	return b[index : index+count]
}

// charRange is byteRange for the characters of a string.
func charRange(s string, index, count int, name string) string {
	needString(s, name)
	switch n := csharp.Length(s); {
	case index < 0:
		outOfRange("index", "Non-negative number required.")
	case count < 0:
		outOfRange("count", "Non-negative number required.")
	case n-index < count:
		outOfRange(name, "Index and count must refer to a location within the buffer.")
	}
	return csharp.Slice(s, index, index+count)
}

// encodings are the ones that .NET has without a registered provider.
type encodings struct {
	utf8, ascii, unicode, bigEndian, utf32, utf32BE, latin1 *Encoding
}

func newEncodings() *encodings {
	utf16 := func(name, title string, codePage int, order interface {
		binary.ByteOrder
		binary.AppendByteOrder
	}, bom string) *Encoding {
		return &Encoding{clrName: "System.Text.UnicodeEncoding", codePage: codePage, web: name, title: title, preamble: bom,
			maxBytes: func(n int) int { return 2 * (n + 1) }, maxChars: func(n int) int { return n/2 + n%2 + 1 },
			decode: func(b []byte) string { return decodeUTF16(b, order) }, encode: func(s string) []byte { return encodeUTF16(s, order) }}
	}
	utf32 := func(name, title string, codePage int, order interface {
		binary.ByteOrder
		binary.AppendByteOrder
	}, bom string) *Encoding {
		return &Encoding{clrName: "System.Text.UTF32Encoding", codePage: codePage, web: name, title: title, preamble: bom,
			maxBytes: func(n int) int { return 4 * (n + 1) }, maxChars: func(n int) int { return n/2 + 2 },
			decode: func(b []byte) string { return decodeUTF32(b, order) }, encode: func(s string) []byte { return encodeUTF32(s, order) }}
	}
	return &encodings{
		utf8: newUTF8("System.Text.UTF8Encoding+UTF8EncodingSealed", true),
		ascii: &Encoding{clrName: "System.Text.ASCIIEncoding+ASCIIEncodingSealed", codePage: 20127, web: "us-ascii", title: "US-ASCII", single: true,
			maxBytes: func(n int) int { return n + 1 }, maxChars: func(n int) int { return n },
			decode: func(b []byte) string { return decodeSingle(b, 0x7F) }, encode: func(s string) []byte { return encodeSingle(s, 0x7F) }},
		latin1: &Encoding{clrName: "System.Text.Latin1Encoding+Latin1EncodingSealed", codePage: 28591, web: "iso-8859-1", title: "Western European (ISO)", single: true,
			maxBytes: func(n int) int { return n + 1 }, maxChars: func(n int) int { return n },
			decode: func(b []byte) string { return decodeSingle(b, 0xFF) }, encode: func(s string) []byte { return encodeSingle(s, 0xFF) }},
		unicode:   utf16("utf-16", "Unicode", 1200, binary.LittleEndian, "\xFF\xFE"),
		bigEndian: utf16("utf-16BE", "Unicode (Big-Endian)", 1201, binary.BigEndian, "\xFE\xFF"),
		utf32:     utf32("utf-32", "Unicode (UTF-32)", 12000, binary.LittleEndian, "\xFF\xFE\x00\x00"),
		utf32BE:   utf32("utf-32BE", "Unicode (UTF-32 Big-Endian)", 12001, binary.BigEndian, "\x00\x00\xFE\xFF"),
	}
}

func newUTF8(clrName string, bom bool) *Encoding {
	e := &Encoding{clrName: clrName, codePage: 65001, web: "utf-8", title: "Unicode (UTF-8)",
		maxBytes: func(n int) int { return 3 * (n + 1) }, maxChars: func(n int) int { return n + 1 },
		decode: decodeUTF8, encode: encodeUTF8}
	if bom {
		e.preamble = "\uFEFF"
	}
	return e
}

// byName finds an encoding by its IANA name or an alias.
func (x *encodings) byName(name string) *Encoding {
	needString(name, "name")
	switch strings.ToLower(name) {
	case "utf-8", "unicode-1-1-utf-8", "unicode-2-0-utf-8", "x-unicode-1-1-utf-8", "x-unicode-2-0-utf-8":
		return x.utf8
	case "us-ascii", "ascii", "ansi_x3.4-1968", "ansi_x3.4-1986", "cp367", "csascii", "ibm367", "iso-ir-6", "iso646-us", "iso_646.irv:1991", "us":
		return x.ascii
	case "iso-8859-1", "iso8859-1", "iso_8859-1", "iso_8859-1:1987", "iso-ir-100", "latin1", "l1", "ibm819", "cp819", "csisolatin1":
		return x.latin1
	case "utf-16", "utf-16le", "unicode", "ucs-2", "iso-10646-ucs-2", "csunicode", "csunicode11":
		return x.unicode
	case "utf-16be", "unicodefffe":
		return x.bigEndian
	case "utf-32", "utf-32le":
		return x.utf32
	case "utf-32be":
		return x.utf32BE
	}
	csharp.ThrowArgument("System.ArgumentException", "'"+name+"' is not a supported encoding name. For information on defining a custom encoding, see the documentation for the Encoding.RegisterProvider method.", "name")
	return nil
}

func (x *encodings) byPage(page int) *Encoding {
	switch page {
	case 0, 65001:
		return x.utf8
	case 20127:
		return x.ascii
	case 28591:
		return x.latin1
	case 1200:
		return x.unicode
	case 1201:
		return x.bigEndian
	case 12000:
		return x.utf32
	case 12001:
		return x.utf32BE
	}
	if page < 0 || page > 65535 {
		outOfRange("codepage", "Valid values are between 0 and 65535, inclusive.")
	}
	csharp.Throwf("System.NotSupportedException", "No data is available for encoding %d. For information on defining a custom encoding, see the documentation for the Encoding.RegisterProvider method.", page)
	return nil
}

func declareEncoding(b *csharp.Builder) {
	x := newEncodings()
	t := b.Type("abstract class System.Text.Encoding", csharp.Go[*Encoding]())
	for name, e := range map[string]*Encoding{"UTF8": x.utf8, "ASCII": x.ascii, "Unicode": x.unicode, "BigEndianUnicode": x.bigEndian,
		"UTF32": x.utf32, "Latin1": x.latin1, "Default": newUTF8(x.utf8.clrName, false)} {
		t.StaticProp("Encoding "+name, csharp.F0(func() *Encoding { return e }))
	}
	t.Static("Encoding GetEncoding(string name)", csharp.F1(x.byName))
	t.Static("Encoding GetEncoding(int codepage)", csharp.F1(x.byPage))
	t.Static("byte[] Convert(Encoding srcEncoding, Encoding dstEncoding, byte[] bytes)", csharp.F4(func(r run, src, dst *Encoding, data []byte) []byte {
		if src == nil || dst == nil {
			csharp.ThrowArgumentNull(map[bool]string{true: "srcEncoding", false: "dstEncoding"}[src == nil])
		}
		return dst.getBytes(r, src.getString(r, data))
	}))
	for _, p := range []struct {
		name string
		get  func(*Encoding) string
	}{
		{"BodyName", func(e *Encoding) string { return e.web }}, {"HeaderName", func(e *Encoding) string { return e.web }},
		{"WebName", func(e *Encoding) string { return e.web }}, {"EncodingName", func(e *Encoding) string { return e.title }},
	} {
		t.Prop("string "+p.name, csharp.F1(p.get))
	}
	t.Prop("int CodePage", csharp.F1(func(e *Encoding) int { return e.codePage }))
	t.Prop("bool IsSingleByte", csharp.F1(func(e *Encoding) bool { return e.single }))
	t.Method("byte[] GetPreamble()", csharp.F1(func(e *Encoding) []byte { return []byte(e.preamble) }))
	declareEncodingBytes(t)
	declareEncodingChars(t)
	for _, c := range []struct {
		name string
		e    *Encoding
	}{{"ASCIIEncoding", x.ascii}, {"UnicodeEncoding", x.unicode}, {"UTF32Encoding", x.utf32}} {
		own := *c.e
		own.clrName = "System.Text." + c.name
		ct := b.Type("class System.Text."+c.name+" : Encoding", csharp.Go[*Encoding]()).Outside()
		ct.New("()", csharp.F0(func() *Encoding { return &own }))
	}
	u := b.Type("class System.Text.UTF8Encoding : Encoding", csharp.Go[*Encoding]()).Outside()
	u.New("()", csharp.F0(func() *Encoding { return newUTF8("System.Text.UTF8Encoding", false) }))
	u.New("(bool encoderShouldEmitUTF8Identifier)", csharp.F1(func(bom bool) *Encoding { return newUTF8("System.Text.UTF8Encoding", bom) }))
	u.New("(bool encoderShouldEmitUTF8Identifier, bool throwOnInvalidBytes)", csharp.F2(func(bom, strict bool) *Encoding {
		e := newUTF8("System.Text.UTF8Encoding", bom)
		if strict {
			e.decode = decodeStrictUTF8
		}
		return e
	}))
}

func declareEncodingBytes(t *csharp.TypeBuilder) {
	t.Method("byte[] GetBytes(string s)", csharp.F3(func(r run, e *Encoding, s string) []byte { return e.getBytes(r, s) }))
	t.Method("byte[] GetBytes(char[] chars)", csharp.F3(func(r run, e *Encoding, a array) []byte { return e.getCharBytes(r, a) }))
	t.Method("byte[] GetBytes(string s, int index, int count)", csharp.F5(func(r run, e *Encoding, s string, i, n int) []byte {
		return e.getBytes(r, charRange(s, i, n, "s"))
	}))
	t.Method("byte[] GetBytes(char[] chars, int index, int count)", csharp.F5(func(r run, e *Encoding, a array, i, n int) []byte {
		if a == nil {
			csharp.ThrowArgumentNull("chars")
		}
		return e.getBytes(r, charRange(charsToString(a), i, n, "chars"))
	}))
	t.Method("int GetByteCount(string s)", csharp.F3(func(r run, e *Encoding, s string) int { return len(e.getBytes(r, s)) }))
	t.Method("int GetByteCount(char[] chars)", csharp.F3(func(r run, e *Encoding, a array) int { return len(e.getCharBytes(r, a)) }))
	t.Method("int GetMaxByteCount(int charCount)", csharp.F2(func(e *Encoding, n int) int {
		if n < 0 {
			outOfRange("charCount", "Non-negative number required.")
		}
		return e.maxBytes(n)
	}))
}

func declareEncodingChars(t *csharp.TypeBuilder) {
	t.Method("string GetString(byte[] bytes)", csharp.F3(func(r run, e *Encoding, b []byte) string { return e.getString(r, b) }))
	t.Method("string GetString(byte[] bytes, int index, int count)", csharp.F5(func(r run, e *Encoding, b []byte, i, n int) string {
		return e.getString(r, byteRange(b, i, n, "bytes"))
	}))
	t.Method("char[] GetChars(byte[] bytes)", csharp.F3(func(r run, e *Encoding, b []byte) array { return stringToChars(r, e.getString(r, b)) }))
	t.Method("char[] GetChars(byte[] bytes, int index, int count)", csharp.F5(func(r run, e *Encoding, b []byte, i, n int) array {
		return stringToChars(r, e.getString(r, byteRange(b, i, n, "bytes")))
	}))
	t.Method("int GetCharCount(byte[] bytes)", csharp.F3(func(r run, e *Encoding, b []byte) int { return csharp.Length(e.getString(r, b)) }))
	t.Method("int GetMaxCharCount(int byteCount)", csharp.F2(func(e *Encoding, n int) int {
		if n < 0 {
			outOfRange("byteCount", "Non-negative number required.")
		}
		return e.maxChars(n)
	}))
}

// decodeStrictUTF8 is decodeUTF8 that throws.
func decodeStrictUTF8(b []byte) string {
	s := decodeUTF8(b)
	if len(s) != len(b) || s != string(b) {
		csharp.Throw("System.Text.DecoderFallbackException", "Unable to translate bytes to Unicode.")
	}
	return s
}
