package csharp

// A Member is one declared constructor, method, property, field, indexer, operator or extension method.
type Member struct {
	decl    string
	owner   *Type
	sig     *signature
	fn      Func // the method, or the getter
	set     *Func
	static  bool
	ext     bool
	outside bool
	value   any // of a constant
	isConst bool
	prop    bool
}

// Outside marks a member as not in the published allow-list of policy expressions. It returns the member.
func (m *Member) Outside() *Member { m.outside = true; return m }

// A Builder collects declarations of types. It is not safe for concurrent use.
type Builder struct {
	base   *Library
	family *family
	types  []*TypeBuilder
	hooks  Hooks
	errs   []error
}

// A TypeBuilder collects the members of one declared type.
type TypeBuilder struct {
	b       *Builder
	decl    string
	typ     *Type
	head    header
	members []*pending
}

type pending struct {
	*Member
	what declKind
}

type declKind uint8

const (
	declMethod declKind = iota
	declCtor
	declProp
	declIndex
	declOp
	declConv
	declConst
)

// Type declares a type. The declaration is that of C#, such as "class System.Text.StringBuilder",
// "struct System.Guid : IComparable<Guid>", "interface System.Collections.Generic.ISet<T> : ICollection<T>",
// "static class System.Math", "abstract class System.Text.Encoding" or "delegate TResult System.Func<T, TResult>(T arg)".
func (b *Builder) Type(decl string, g GoType) *TypeBuilder {
	tb := &TypeBuilder{b: b, decl: decl}
	b.declare(tb, decl, g)
	b.types = append(b.types, tb)
	return tb
}

// Enum declares an enum of underlying type int whose names have the given values, in ascending order. Flags says that it has
// the attribute [Flags].
func (b *Builder) Enum(name string, flags bool, names []string, values []int64) *TypeBuilder {
	tb := b.Type("enum "+name, GoType{})
	tb.typ.enum = &enumInfo{underlying: b.family.t.int, flags: flags, names: names, values: values}
	return tb
}

// Hooks sets the services that the language takes from the library.
func (b *Builder) Hooks(h Hooks) { b.hooks = h }

func (t *TypeBuilder) add(what declKind, decl string, f Func) *Member {
	m := &Member{decl: decl, owner: t.typ, fn: f}
	t.members = append(t.members, &pending{m, what})
	return m
}

// Outside marks the type and so all of its members as not in the published allow-list. It returns the type's builder.
func (t *TypeBuilder) Outside() *TypeBuilder { t.typ.outside = true; return t }

// Get gives the type under declaration.
func (t *TypeBuilder) Get() *Type { return t.typ }

// New declares a constructor by its parameter list, such as "(int year, int month, int day)".
func (t *TypeBuilder) New(params string, f Func) *Member {
	m := t.add(declCtor, "void ctor"+params, f)
	m.static = true
	return m
}

// Method declares an instance method, such as "string Substring(int startIndex, int length)".
func (t *TypeBuilder) Method(decl string, f Func) *Member { return t.add(declMethod, decl, f) }

// Static declares a static method.
func (t *TypeBuilder) Static(decl string, f Func) *Member {
	m := t.add(declMethod, decl, f)
	m.static = true
	return m
}

// Ext declares an extension method in a static class; its first parameter has the modifier this. Unlike the receiver of an
// instance method it may be null.
func (t *TypeBuilder) Ext(decl string, f Func) *Member {
	m := t.Static(decl, f)
	m.ext = true
	return m
}

// Prop declares an instance property or field, such as "int Length", with its getter and, if it can be written, its setter.
func (t *TypeBuilder) Prop(decl string, get Func, set ...Func) *Member {
	m := t.add(declProp, decl, get)
	if len(set) > 0 {
		m.set = &set[0]
	}
	return m
}

// StaticProp declares a static property or readonly field.
func (t *TypeBuilder) StaticProp(decl string, get Func) *Member {
	m := t.add(declProp, decl, get)
	m.static = true
	return m
}

// Const declares a constant, such as "int MaxValue", by its boxed value.
func (t *TypeBuilder) Const(decl string, value any) *Member {
	m := t.add(declConst, decl, Func{})
	m.static, m.isConst, m.value = true, true, value
	return m
}

// Index declares an indexer, such as "string this[string name]".
func (t *TypeBuilder) Index(decl string, get Func, set ...Func) *Member {
	m := t.add(declIndex, decl, get)
	if len(set) > 0 {
		m.set = &set[0]
	}
	return m
}

// Op declares an operator, such as "TimeSpan operator -(DateTime a, DateTime b)".
func (t *TypeBuilder) Op(decl string, f Func) *Member {
	m := t.add(declOp, decl, f)
	m.static = true
	return m
}

// Conv declares a conversion, such as "implicit operator XName(string name)" or "explicit operator int(JToken value)".
func (t *TypeBuilder) Conv(decl string, f Func) *Member {
	m := t.add(declConv, decl, f)
	m.static = true
	return m
}

// NewBuilder gives a builder with the types that the language itself needs and nothing else. Declare members of
// System.String and its like by declaring the type again, once, in the first library of a family.
func NewBuilder() *Builder { return newBuilder() }

// Extend gives a builder whose library will hold everything in l and what is declared with it. It can add types and
// extension methods, not members to the types of l.
func (l *Library) Extend() *Builder {
	return &Builder{base: l, family: l.family, hooks: l.hooks}
}

// Build resolves all declarations. The error lists the faulty ones.
func (b *Builder) Build() (*Library, error) { return b.build() }

// MustType gives a type by its C# name, such as "int", "IReadOnlyDictionary<string, object>" or "System.Guid?". A name that the
// library does not know is a bug in the caller and panics.
func (l *Library) MustType(name string) *Type {
	t, err := l.Type(name)
	if err != nil {
		panic(err)
	}
	return t
}
