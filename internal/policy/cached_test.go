package policy

import (
	"math"
	"testing"

	"github.com/causeway-apim/causeway/internal/csharp"
	"github.com/causeway-apim/causeway/internal/csharp/clr"
)

// cachedValues are values of the types that no literal of a document has.
func cachedValues() []any {
	return []any{
		nil, false, "", "\u00e4", []byte{0, 255}, csharp.Char(0xD800), int8(-1), int16(-300), int32(math.MinInt32), int64(math.MaxInt64),
		uint8(255), uint16(65535), uint32(math.MaxUint32), uint64(math.MaxUint64), float32(0.5), math.Inf(-1), csharp.NewDecimal(110, 0, 0, true, 2),
		clr.DateTime{Ticks: 638_000_000_000_000_000, Kind: clr.KindUTC}, clr.TimeSpan(-5), clr.Guid{1, 2, 3},
	}
}

func TestValueCodec(t *testing.T) {
	t.Parallel()
	codec, x := newTestCodec(t)
	for _, v := range cachedValues() {
		data, err := codec.Encode(x, v)
		if err != nil {
			t.Errorf("%#v: %v", v, err)
			continue
		}
		got, err := codec.Decode(x, data)
		if err != nil || csharp.TypeName(got) != csharp.TypeName(v) || !csharp.Equal(got, v) && csharp.FormatValue(got) != csharp.FormatValue(v) {
			t.Errorf("%#v became %#v, %v", v, got, err)
		}
	}
	array := stringArray([]string{"a", ""})
	array.Items = append(array.Items, nil)
	data, err := codec.Encode(x, array)
	if err != nil {
		t.Fatal(err)
	}
	got, err := codec.Decode(x, data)
	if items := got.(*csharp.Array).Items; err != nil || len(items) != 3 || items[0] != "a" || items[1] != "" || items[2] != nil {
		t.Errorf("%v, %v", items, err)
	}
	if _, err := codec.Encode(x, &csharp.Array{Elem: csharpType(t, "int"), Items: []any{int32(1)}}); err == nil {
		t.Error("an int[] was written")
	}
}

// FuzzDecodeCached feeds what a shared cache might hold.
func FuzzDecodeCached(f *testing.F) {
	codec, x := newTestCodec(f)
	for _, v := range cachedValues() {
		data, err := codec.Encode(x, v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, seed := range []string{"j{\"a\":1}", "j", "a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a", "a\x02a\x00", "G123", "m1e99", "i", "i\x09\x01", "D", "x<a/>"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := codec.Decode(x, data)
		if err != nil {
			return
		}
		if _, err := codec.Encode(x, v); err != nil {
			t.Errorf("%#v was read and cannot be written: %v", v, err)
		}
	})
}

func newTestCodec(tb testing.TB) (*ValueCodec, *Exec) {
	tb.Helper()
	c, err := NewCatalogue()
	if err != nil {
		tb.Fatal(err)
	}
	x := new(Exec)
	newExec(x)
	return c.values, x
}

func csharpType(t *testing.T, name string) *csharp.Type {
	t.Helper()
	lib, _, err := contextLibrary()
	if err != nil {
		t.Fatal(err)
	}
	return lib.MustType(name)
}
