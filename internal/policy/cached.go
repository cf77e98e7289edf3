package policy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

// ValueCodec writes the values of variables as bytes and reads them again, so that what requests share through a cache is never one object: strings,
// booleans, numbers, char, byte[], string[], DateTime, TimeSpan, Guid, JSON tokens and XML trees. It is safe for concurrent use.
type ValueCodec struct {
	readers  bodyReaders
	jsonText *csharp.Program
}

func newValueCodec(lib *csharp.Library) *ValueCodec {
	value := []csharp.Global{{Name: "value", Type: lib.MustType("object")}}
	jsonText, _ := lib.Compile("Newtonsoft.Json.JsonConvert.SerializeObject(value)", csharp.Options{Globals: value})
	return &ValueCodec{readers: readersOf(lib), jsonText: jsonText}
}

// The first byte of a value says what follows.
const (
	cachedNull     = '0'
	cachedFalse    = 'f'
	cachedTrue     = 't'
	cachedString   = 's'
	cachedBytes    = 'b'
	cachedChar     = 'c'
	cachedInt      = 'i' // the size in bits, then a varint
	cachedUint     = 'u' // likewise
	cachedDouble   = 'd'
	cachedFloat    = 'e'
	cachedDecimal  = 'm'
	cachedDate     = 'D' // the kind, then the ticks
	cachedSpan     = 'T'
	cachedGuid     = 'G'
	cachedStrings  = 'a' // sizes and texts; null has the size 0, others one more than theirs
	cachedJSON     = 'j'
	cachedElement  = 'x'
	cachedDocument = 'X'
)

// Encode writes a value. A type that cannot be shared is an error.
func (c *ValueCodec) Encode(x *Exec, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return []byte{cachedNull}, nil
	case bool:
		if v {
			return []byte{cachedTrue}, nil
		}
		return []byte{cachedFalse}, nil
	case string:
		return append([]byte{cachedString}, v...), nil
	case []byte:
		return append([]byte{cachedBytes}, v...), nil
	case csharp.Decimal:
		return append([]byte{cachedDecimal}, csharp.FormatValue(v)...), nil
	case clr.Guid:
		return append([]byte{cachedGuid}, v[:]...), nil
	case clr.DateTime:
		return binary.AppendVarint([]byte{cachedDate, byte(v.Kind)}, v.Ticks), nil
	case clr.TimeSpan:
		return binary.AppendVarint([]byte{cachedSpan}, int64(v)), nil
	case csharp.Char:
		return binary.AppendUvarint([]byte{cachedChar}, uint64(v)), nil
	case *csharp.Array:
		return encodeStrings(v)
	case clr.JToken:
		return c.encodeJSON(x, v)
	}
	if b := encodeNumber(value); b != nil {
		return b, nil
	}
	switch csharp.TypeName(value) {
	case "System.Xml.Linq.XElement":
		return append([]byte{cachedElement}, csharp.FormatValue(value)...), nil
	case "System.Xml.Linq.XDocument":
		return append([]byte{cachedDocument}, csharp.FormatValue(value)...), nil
	}
	return nil, fmt.Errorf("a value of the type %s cannot be kept in a cache", csharp.TypeName(value))
}

func encodeNumber(value any) []byte {
	signed := func(bits byte, n int64) []byte { return binary.AppendVarint([]byte{cachedInt, bits}, n) }
	unsigned := func(bits byte, n uint64) []byte { return binary.AppendUvarint([]byte{cachedUint, bits}, n) }
	switch v := value.(type) {
	case int8:
		return signed(8, int64(v))
	case int16:
		return signed(16, int64(v))
	case int32:
		return signed(32, int64(v))
	case int64:
		return signed(64, v)
	case uint8:
		return unsigned(8, uint64(v))
	case uint16:
		return unsigned(16, uint64(v))
	case uint32:
		return unsigned(32, uint64(v))
	case uint64:
		return unsigned(64, v)
	case float64:
		return binary.AppendUvarint([]byte{cachedDouble}, math.Float64bits(v))
	case float32:
		return binary.AppendUvarint([]byte{cachedFloat}, uint64(math.Float32bits(v)))
	}
	return nil
}

func encodeStrings(a *csharp.Array) ([]byte, error) {
	if a.Elem.FullName() != "System.String" || a.Dims != nil {
		return nil, fmt.Errorf("an array of the type %s[] cannot be kept in a cache", a.Elem.FullName())
	}
	b := []byte{cachedStrings}
	for _, item := range a.Items {
		s, ok := item.(string)
		if !ok {
			b = binary.AppendUvarint(b, 0)
			continue
		}
		b = append(binary.AppendUvarint(b, uint64(len(s))+1), s...)
	}
	return b, nil
}

func (c *ValueCodec) encodeJSON(x *Exec, token clr.JToken) ([]byte, error) {
	text, err := c.jsonText.Run(token, x.runLimits())
	if err != nil {
		return nil, fmt.Errorf("write JSON for a cache: %w", err)
	}
	return append([]byte{cachedJSON}, csharp.UnboxString(text)...), nil
}

var errCached = errors.New("the value in the cache is damaged")

// Decode reads what Encode has written. The value shares nothing with data.
func (c *ValueCodec) Decode(x *Exec, data []byte) (any, error) {
	if len(data) == 0 {
		return nil, errCached
	}
	switch rest := data[1:]; data[0] {
	case cachedNull:
		return nil, nil
	case cachedFalse, cachedTrue:
		return data[0] == cachedTrue, nil
	case cachedString:
		return string(rest), nil
	case cachedBytes:
		return append([]byte{}, rest...), nil
	case cachedDecimal:
		return csharp.ParseDecimal(string(rest))
	case cachedGuid:
		if len(rest) != len(clr.Guid{}) {
			return nil, errCached
		}
		return clr.Guid(rest), nil
	case cachedStrings:
		return decodeStrings(rest)
	case cachedJSON:
		return c.parse(x, "Newtonsoft.Json.Linq.JToken", rest)
	case cachedElement:
		return c.parse(x, "System.Xml.Linq.XElement", rest)
	case cachedDocument:
		return c.parse(x, "System.Xml.Linq.XDocument", rest)
	}
	return decodeNumber(data)
}

func (c *ValueCodec) parse(x *Exec, typeName string, text []byte) (any, error) {
	reader := c.readers[typeName]
	if reader == nil {
		return nil, errCached
	}
	value, err := reader.Run(string(text), x.runLimits())
	if err != nil {
		return nil, fmt.Errorf("read a value from the cache: %w", err)
	}
	return value, nil
}

func decodeStrings(b []byte) (any, error) {
	values := stringArray(nil)
	for len(b) > 0 {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n)+1 {
			return nil, errCached
		}
		b = b[n:]
		if size == 0 {
			values.Items = append(values.Items, nil)
			continue
		}
		values.Items = append(values.Items, string(b[:size-1]))
		b = b[size-1:]
	}
	return values, nil
}

func decodeNumber(b []byte) (any, error) {
	if len(b) < 3 && b[0] != cachedSpan && b[0] != cachedChar && b[0] != cachedDouble && b[0] != cachedFloat {
		return nil, errCached
	}
	switch b[0] {
	case cachedInt:
		n, size := binary.Varint(b[2:])
		if size > 0 {
			return signedOf(b[1], n)
		}
	case cachedUint:
		n, size := binary.Uvarint(b[2:])
		if size > 0 {
			return unsignedOf(b[1], n)
		}
	case cachedDate:
		if n, size := binary.Varint(b[2:]); size > 0 {
			return clr.DateTime{Ticks: n, Kind: clr.Kind(b[1])}, nil
		}
	case cachedSpan:
		if n, size := binary.Varint(b[1:]); size > 0 {
			return clr.TimeSpan(n), nil
		}
	case cachedChar, cachedDouble, cachedFloat:
		n, size := binary.Uvarint(b[1:])
		switch {
		case size <= 0:
		case b[0] == cachedChar:
			return csharp.Char(n), nil
		case b[0] == cachedDouble:
			return math.Float64frombits(n), nil
		default:
			return math.Float32frombits(uint32(n)), nil
		}
	}
	return nil, errCached
}

func signedOf(bits byte, n int64) (any, error) {
	switch bits {
	case 8:
		return int8(n), nil
	case 16:
		return int16(n), nil
	case 32:
		return int32(n), nil
	case 64:
		return n, nil
	}
	return nil, errCached
}

func unsignedOf(bits byte, n uint64) (any, error) {
	switch bits {
	case 8:
		return uint8(n), nil
	case 16:
		return uint16(n), nil
	case 32:
		return uint32(n), nil
	case 64:
		return n, nil
	}
	return nil, errCached
}
