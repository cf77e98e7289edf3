package csharp

type signature struct{}
type Decimal struct {
	lo    uint64
	hi    uint32
	scale uint8
	neg   bool
}

func (d Decimal) Float64() float64                                        { return 0 }
func FormatValue(v any) string                                            { return "" }
func TypeName(v any) string                                               { return "" }
func newBuilder() *Builder                                                { return &Builder{family: &family{}} }
func (b *Builder) build() (*Library, error)                               { return &Library{}, nil }
func (b *Builder) declare(tb *TypeBuilder, decl string, g GoType) string  { tb.typ = &Type{}; return "" }
func (l *Library) resolveException(e *Exception)                          {}
func (l *Library) Type(name string) (*Type, error)                        { return nil, nil }
func (l *Library) compile(src string, o Options) (*Program, []Diagnostic) { return nil, nil }
func endOfExpression(src string) (int, bool)                              { return 0, false }
