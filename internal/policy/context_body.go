package policy

import (
	"bytes"
	"encoding/binary"
	"mime"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// bodyReaders read the text of a body as T of Body.As<T>, by the full name of T: programs that call the parser of the .NET library.
type bodyReaders map[string]*csharp.Program

// readersOf compiles the readers for those types that the library has.
func readersOf(lib *csharp.Library) bodyReaders {
	const json, xml = "Newtonsoft.Json.Linq.", "System.Xml.Linq."
	text := []csharp.Global{{Name: "text", Type: lib.MustType("string")}}
	readers := make(bodyReaders)
	for name, source := range map[string]string{
		json + "JToken": json + "JToken.Parse(text)", json + "JObject": json + "JObject.Parse(text)", json + "JArray": json + "JArray.Parse(text)",
		xml + "XDocument": xml + "XDocument.Parse(text)", xml + "XElement": xml + "XElement.Parse(text)", xml + "XNode": xml + "XElement.Parse(text)",
	} {
		if program, _ := lib.Compile(source, csharp.Options{Globals: text}); program != nil {
			readers[name] = program
		}
	}
	return readers
}

// as is Body.As<T>.
func (m *messageBody) as(readers bodyReaders, t *csharp.Type, keep bool) any {
	name := t.FullName()
	switch name {
	case "System.String":
		return m.text(keep)
	case "System.Byte[]":
		return bytes.Clone(m.read(keep)) // expressions may change it, and the body may be that of others: of a cache
	}
	reader := readers[name]
	if reader == nil {
		csharp.Throwf("System.NotSupportedException", "A message body cannot be read as %s.", name)
	}
	value, err := reader.Run(m.text(keep), m.x.runLimits())
	if err != nil {
		panic(err) // the exception of the parser goes on in the expression that reads the body
	}
	return value
}

// text reads the body as the text that its Content-Type says it is.
func (m *messageBody) text(keep bool) string {
	data := m.read(keep)
	contentType := m.header.Get("Content-Type")
	if !strings.Contains(contentType, ";") {
		return bodyText(data)
	}
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return bodyText(data)
	}
	switch strings.ToLower(parameters["charset"]) {
	case "iso-8859-1", "latin1":
		return latin1(data)
	case "utf-16", "utf-16le":
		return utf16Text(data, binary.LittleEndian)
	case "utf-16be":
		return utf16Text(data, binary.BigEndian)
	}
	return bodyText(data)
}

// utf16Text decodes UTF-16; a byte order mark at the beginning decides between the orders.
func utf16Text(data []byte, order binary.ByteOrder) string {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		order, data = binary.LittleEndian, data[2:]
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		order, data = binary.BigEndian, data[2:]
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return string(utf16.Decode(units))
}

// bodyText decodes UTF-8 without a byte order mark; what is no UTF-8 becomes the replacement character, as in .NET.
func bodyText(data []byte) string {
	text := strings.TrimPrefix(string(data), "\ufeff")
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\ufffd")
	}
	return text
}
