package clr

import (
	"github.com/causeway-apim/causeway/internal/csharp"
)

// A StringReader is System.IO.StringReader.
type StringReader struct {
	units []uint16
	pos   int
	done  bool // disposed
}

// ClrName is System.IO.StringReader.
func (*StringReader) ClrName() string { return "System.IO.StringReader" }

// Dispose closes the reader.
func (x *StringReader) Dispose() { x.done = true }

func (x *StringReader) open() *StringReader {
	if x.done {
		csharp.Throw("System.ObjectDisposedException", "Cannot read from a closed TextReader.")
	}
	return x
}

func (x *StringReader) peek() int {
	if x.open().pos >= len(x.units) {
		return -1
	}
	return int(x.units[x.pos])
}

func (x *StringReader) read() int {
	c := x.peek()
	if c >= 0 {
		x.pos++
	}
	return c
}

// take gives the next n units.
func (x *StringReader) take(r run, n int) string {
	r.Alloc(3 * n)
	s := csharp.FromUnits(x.units[x.pos : x.pos+n])
	x.pos += n
	return s
}

// line gives the next line without its end, null at the end of the text.
func (x *StringReader) line(r run) string {
	if x.peek() < 0 {
		return csharp.Null()
	}
	n := 0
	for rest := x.units[x.pos:]; n < len(rest) && rest[n] != '\r' && rest[n] != '\n'; n++ {
	}
	s := x.take(r, n)
	if x.read() == '\r' && x.peek() == '\n' {
		x.pos++
	}
	return s
}

func (x *StringReader) fill(buf array, index, count int) int {
	if buf == nil {
		csharp.ThrowArgumentNull("buffer")
	}
	if index < 0 || count < 0 {
		outOfRange("index", "Non-negative number required.")
	}
	if len(buf.Items)-index < count {
		csharp.Throw("System.ArgumentException", "Offset and length were out of bounds for the array or count is greater than the number of elements from index to the end of the source collection.")
	}
	n := min(count, len(x.open().units)-x.pos)
	for i := range n {
		buf.Items[index+i] = csharp.Char(x.units[x.pos+i])
	}
	x.pos += n
	return n
}

// A StringWriter is System.IO.StringWriter; its new line is that of Linux.
type StringWriter struct{ sb *StringBuilder }

// ClrName is System.IO.StringWriter.
func (*StringWriter) ClrName() string { return "System.IO.StringWriter" }

// ToString is what has been written.
func (x *StringWriter) ToString() string { return x.sb.ToString() }

// Dispose does nothing: the text stays readable.
func (*StringWriter) Dispose() {}

func declareTextIO(b *csharp.Builder) {
	t := b.Type("abstract class System.IO.TextReader : System.IDisposable", csharp.Go[*StringReader]()).Outside()
	s := b.Type("class System.IO.StringReader : TextReader", csharp.Go[*StringReader]())
	s.New("(string s)", csharp.F2(func(r run, s string) *StringReader {
		needString(s, "s")
		r.Alloc(2 * len(s))
		return &StringReader{units: csharp.Units(s)}
	}))
	for _, t := range []*csharp.TypeBuilder{t, s} {
		t.Method("int Read()", csharp.F1((*StringReader).read))
		t.Method("int Read(char[] buffer, int index, int count)", csharp.F4((*StringReader).fill))
		t.Method("int ReadBlock(char[] buffer, int index, int count)", csharp.F4((*StringReader).fill))
		t.Method("int Peek()", csharp.F1((*StringReader).peek))
		t.Method("string ReadLine()", csharp.F2(func(r run, x *StringReader) string { return x.line(r) }))
		t.Method("string ReadToEnd()", csharp.F2(func(r run, x *StringReader) string { return x.take(r, len(x.open().units)-x.pos) }))
		t.Method("void Close()", csharp.V1((*StringReader).Dispose))
		t.Method("void Dispose()", csharp.V1((*StringReader).Dispose))
	}
	w := b.Type("abstract class System.IO.TextWriter : System.IDisposable", csharp.Go[*StringWriter]()).Outside()
	sw := b.Type("class System.IO.StringWriter : TextWriter", csharp.Go[*StringWriter]())
	sw.New("()", csharp.F0(func() *StringWriter { return &StringWriter{&StringBuilder{}} }))
	sw.New("(IFormatProvider formatProvider)", csharp.F1(func(any) *StringWriter { return &StringWriter{&StringBuilder{}} }))
	sw.New("(StringBuilder sb, IFormatProvider formatProvider)", csharp.F2(func(sb *StringBuilder, _ any) *StringWriter {
		if sb == nil {
			csharp.ThrowArgumentNull("sb")
		}
		return &StringWriter{sb}
	}))
	sw.New("(StringBuilder sb)", csharp.F1(func(sb *StringBuilder) *StringWriter {
		if sb == nil {
			csharp.ThrowArgumentNull("sb")
		}
		return &StringWriter{sb}
	}))
	sw.Method("StringBuilder GetStringBuilder()", csharp.F1(func(x *StringWriter) *StringBuilder { return x.sb }))
	for _, t := range []*csharp.TypeBuilder{w, sw} {
		t.Method("string ToString()", csharp.F1((*StringWriter).ToString))
		t.Method("void Flush()", csharp.V1((*StringWriter).Dispose))
		t.Method("void Close()", csharp.V1((*StringWriter).Dispose))
		t.Method("void Dispose()", csharp.V1((*StringWriter).Dispose))
		for name, end := range map[string]string{"Write": "", "WriteLine": "\n"} {
			t.Method("void "+name+"(string value)", csharp.V3(func(r run, x *StringWriter, s string) { x.sb.append(r, notNull(s)+end) }))
			t.Method("void "+name+"(object value)", csharp.V3(func(r run, x *StringWriter, v any) { x.sb.append(r, text(v)+end) }))
			t.Method("void "+name+"(char value)", csharp.V3(func(r run, x *StringWriter, c csharp.Char) { x.sb.append(r, c.String()+end) }))
			t.Method("void "+name+"(char[] buffer)", csharp.V3(func(r run, x *StringWriter, a array) { x.sb.append(r, charsToString(a)+end) }))
			t.Method("void "+name+"(char[] buffer, int index, int count)", csharp.V5(func(r run, x *StringWriter, a array, i, n int) {
				needArray(a, "buffer")
				x.sb.append(r, substring(charsToString(a), i, n)+end)
			}))
			t.Method("void "+name+"(string format, params object[] arg)", csharp.V4(func(r run, x *StringWriter, f string, a array) {
				if a == nil {
					csharp.ThrowArgumentNull("arg")
				}
				x.sb.append(r, composite(r, f, a.Items)+end)
			}))
		}
		t.Method("void WriteLine()", csharp.V2(func(r run, x *StringWriter) { x.sb.append(r, "\n") }))
		t.Prop("string NewLine", csharp.F1(func(*StringWriter) string { return "\n" }))
	}
}
