package csharp

import (
	"slices"
	"strconv"
	"strings"
	"sync"
)

type kind uint8

// The order of the numeric kinds is that of the tables in convert.go.
const (
	kindObject kind = iota // System.Object
	kindVoid
	kindNull // type of the literal null
	kindDynamic
	kindBool
	kindString
	kindChar
	kindSByte
	kindByte
	kindShort
	kindUShort
	kindInt
	kindUInt
	kindLong
	kindULong
	kindFloat
	kindDouble
	kindDecimal
	kindEnum
	kindClass
	kindStruct
	kindInterface
	kindDelegate
	kindArray
	kindNullable
	kindRecord    // anonymous type or value tuple
	kindTypeParam // of a generic declaration
	kindLambda    // lambda or method group before conversion to a delegate
	kindError     // after a reported error; converts to everything
)

// repr is the form in which code holds a value.
type repr uint8

const (
	reprObj repr = iota
	reprInt
	reprFloat
	reprBool
	reprStr
	reprVoid
)

// A Type is a .NET type. Types of one library and of those that extend it are identical exactly when their pointers are.
type Type struct {
	family    *family
	id        int
	kind      kind
	namespace string
	name      string // without `arity
	params    []*Type
	def       *Type // generic definition of a constructed type
	args      []*Type
	elem      *Type // of arrays and Nullable<T>
	rank      int
	base      *Type
	ifaces    []*Type
	static    bool
	abstract  bool
	open      bool // mentions a type parameter
	goType    GoType
	fields    []recordField
	tuple     bool // a record that is a value tuple
	enum      *enumInfo
	invoke    *signature // of delegates
	members   map[string][]*Member
	ctors     []*Member
	indexers  []*Member
	ops       map[string][]*Member // by operator; conversions under "implicit" and "explicit"
	outside   bool
	nested    bool // namespace is the type that it stands in
}

type recordField struct {
	name string
	typ  *Type
}

type enumInfo struct {
	underlying *Type
	flags      bool
	names      []string
	values     []int64
}

// family owns what all types made from one builder share: numbering and the constructed types.
type family struct {
	mu    sync.Mutex
	next  int
	insts map[string]*Type
	t     wellKnown
}

// wellKnown are the types that the language itself names.
type wellKnown struct {
	object, void, null, dynamic, bool, string, char                *Type
	sbyte, byte, short, ushort, int, uint, long, ulong             *Type
	float, double, decimal                                         *Type
	valueType, enum, array, delegate, nullable, exception          *Type
	enumerable, list, ilist, roList, collection, roCollection, typ *Type
	disposable, lambda, err                                        *Type
}

func (f *family) newType(k kind, namespace, name string) *Type {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	return &Type{family: f, id: f.next, kind: k, namespace: namespace, name: name}
}

// interned finds a type that was made before, without allocating.
func (f *family) interned(key []byte) *Type {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.insts[string(key)]
}

func (f *family) intern(key string, make func() *Type) *Type {
	f.mu.Lock()
	t, ok := f.insts[key]
	f.mu.Unlock()
	if ok {
		return t
	}
	fresh := make()
	f.mu.Lock()
	defer f.mu.Unlock()
	if t, ok := f.insts[key]; ok {
		return t
	}
	f.next++
	fresh.id = f.next
	f.insts[key] = fresh
	return fresh
}

// Of gives the constructed type of a generic definition, such as List<int> of List<T>.
func (t *Type) Of(args ...*Type) *Type {
	var buf [64]byte
	key := strconv.AppendInt(append(buf[:0], 'i'), int64(t.id), 10)
	open := false
	for _, a := range args {
		key = strconv.AppendInt(append(key, ','), int64(a.id), 10)
		open = open || a.open
	}
	if have := t.family.interned(key); have != nil {
		return have
	}
	args = slices.Clone(args) // the caller's need not escape
	return t.family.intern(string(key), func() *Type {
		c := &Type{family: t.family, kind: t.kind, namespace: t.namespace, name: t.name, def: t, args: args, open: open,
			static: t.static, abstract: t.abstract, outside: t.outside}
		if t == t.family.t.nullable {
			c.kind, c.elem = kindNullable, args[0]
		}
		return c
	})
}

// ArrayOf gives the array type of one dimension.
func (t *Type) ArrayOf() *Type { return t.arrayOf(1) }

func (t *Type) arrayOf(rank int) *Type {
	return t.family.intern("a"+strconv.Itoa(t.id)+","+strconv.Itoa(rank), func() *Type {
		return &Type{family: t.family, kind: kindArray, name: t.name + "[]", elem: t, rank: rank, open: t.open, base: t.family.t.array}
	})
}

// record gives the anonymous type or value tuple with those fields.
func (f *family) record(fields []recordField, tuple bool) *Type {
	var key strings.Builder
	key.WriteString("r")
	if tuple {
		key.WriteString("t")
	}
	open := false
	for _, x := range fields {
		key.WriteString("," + x.name + ":" + strconv.Itoa(x.typ.id))
		open = open || x.typ.open
	}
	return f.intern(key.String(), func() *Type {
		return &Type{family: f, kind: kindRecord, name: "<>f__AnonymousType", fields: fields, tuple: tuple, open: open, base: f.t.object}
	})
}

// nullableOf gives T? of a value type T.
func (t *Type) nullableOf() *Type { return t.family.t.nullable.Of(t) }

// Base is the base class, nil for Object and interfaces.
func (t *Type) Base() *Type {
	if t.def != nil {
		return t.def.base.subst(t.def.params, t.args)
	}
	return t.base
}

// interfaces are the directly declared ones.
func (t *Type) interfaces() []*Type {
	switch {
	case t.kind == kindArray && t.rank == 1:
		w := &t.family.t
		return []*Type{w.ilist.Of(t.elem), w.roList.Of(t.elem)}
	case t.def != nil:
		out := make([]*Type, len(t.def.ifaces))
		for i, x := range t.def.ifaces {
			out[i] = x.subst(t.def.params, t.args)
		}
		return out
	}
	return t.ifaces
}

// Args are the type arguments of a constructed generic type, or nil.
func (t *Type) Args() []*Type { return t.args }

// Elem is the element type of an array or the underlying type of T?; otherwise nil.
func (t *Type) Elem() *Type { return t.elem }

// Is tells whether t was made from the generic or plain type definition d.
func (t *Type) Is(d *Type) bool { return t == d || t.def != nil && t.def == d }

// subst replaces type parameters.
func (t *Type) subst(params, args []*Type) *Type {
	if t == nil || !t.open || len(params) == 0 {
		return t
	}
	switch {
	case t.kind == kindTypeParam:
		for i, p := range params {
			if p == t && i < len(args) && args[i] != nil {
				return args[i]
			}
		}
		return t
	case t.kind == kindArray:
		return t.elem.subst(params, args).arrayOf(t.rank)
	case t.def != nil:
		out := make([]*Type, len(t.args))
		for i, a := range t.args {
			out[i] = a.subst(params, args)
		}
		return t.def.Of(out...)
	case t.kind == kindRecord:
		fields := make([]recordField, len(t.fields))
		for i, x := range t.fields {
			fields[i] = recordField{x.name, x.typ.subst(params, args)}
		}
		return t.family.record(fields, t.tuple)
	}
	return t
}

func (t *Type) repr() repr {
	switch {
	case t.kind >= kindChar && t.kind <= kindULong, t.kind == kindEnum:
		return reprInt
	case t.kind == kindFloat || t.kind == kindDouble:
		return reprFloat
	case t.kind == kindBool:
		return reprBool
	case t.kind == kindString:
		return reprStr
	case t.kind == kindVoid:
		return reprVoid
	}
	return reprObj
}

// isValue tells whether t is a value type other than T?.
func (t *Type) isValue() bool {
	return t.kind == kindBool || t.kind >= kindChar && t.kind <= kindEnum || t.kind == kindStruct || t.kind == kindRecord && t.tuple
}

// isReference tells whether t is a reference type.
func (t *Type) isReference() bool {
	return !t.isValue() && t.kind != kindNullable && t.kind != kindVoid
}

// nullOK tells whether null converts to t.
func (t *Type) nullOK() bool {
	return !t.isValue() && t.kind != kindVoid && t.kind != kindTypeParam || t.kind == kindError
}

func (t *Type) isIntegral() bool { return t.kind >= kindChar && t.kind <= kindULong }
func (t *Type) isNumeric() bool  { return t.kind >= kindChar && t.kind <= kindDecimal }

// underlying strips Nullable<>.
func (t *Type) underlying() *Type {
	if t.kind == kindNullable {
		return t.elem
	}
	return t
}

// Namespace is the namespace, "" for arrays.
func (t *Type) Namespace() string { return t.namespace }

// Name is the type's name as System.Type.Name: without namespace, with `n for n type parameters.
func (t *Type) Name() string {
	switch {
	case t.kind == kindArray:
		return t.elem.Name() + "[" + strings.Repeat(",", t.rank-1) + "]"
	case t.kind == kindRecord && t.tuple:
		return "ValueTuple`" + strconv.Itoa(len(t.fields))
	case t.kind == kindRecord:
		return "<>f__AnonymousType0`" + strconv.Itoa(len(t.fields))
	case len(t.args) > 0:
		return t.name + "`" + strconv.Itoa(len(t.args))
	case len(t.params) > 0:
		return t.name + "`" + strconv.Itoa(len(t.params))
	}
	return t.name
}

// FullName is System.Type.ToString(), for example "System.Collections.Generic.List`1[System.Int32]".
func (t *Type) FullName() string {
	switch {
	case t.kind == kindArray:
		return t.elem.FullName() + "[" + strings.Repeat(",", t.rank-1) + "]"
	case t.kind == kindRecord && !t.tuple:
		return "anonymous"
	case t.kind == kindRecord:
		names := make([]string, len(t.fields))
		for i, f := range t.fields {
			names[i] = f.typ.FullName()
		}
		return "System." + t.Name() + "[" + strings.Join(names, ",") + "]"
	}
	s := t.Name()
	switch {
	case t.nested:
		s = t.namespace + "+" + s
	case t.namespace != "":
		s = t.namespace + "." + s
	}
	if len(t.args) > 0 {
		names := make([]string, len(t.args))
		for i, a := range t.args {
			names[i] = a.FullName()
		}
		s += "[" + strings.Join(names, ",") + "]"
	}
	return s
}

var keywordNames = map[string]string{
	"System.Object": "object", "System.Void": "void", "System.Boolean": "bool", "System.String": "string", "System.Char": "char",
	"System.SByte": "sbyte", "System.Byte": "byte", "System.Int16": "short", "System.UInt16": "ushort", "System.Int32": "int",
	"System.UInt32": "uint", "System.Int64": "long", "System.UInt64": "ulong", "System.Single": "float", "System.Double": "double",
	"System.Decimal": "decimal",
}

// String is the type as C# source writes it, for messages.
func (t *Type) String() string {
	switch t.kind {
	case kindNull:
		return "<null>"
	case kindLambda:
		return "lambda expression"
	case kindDynamic:
		return "dynamic"
	case kindArray:
		return t.elem.String() + "[" + strings.Repeat(",", t.rank-1) + "]"
	case kindNullable:
		return t.elem.String() + "?"
	case kindRecord:
		parts := make([]string, len(t.fields))
		for i, f := range t.fields {
			parts[i] = f.typ.String() + " " + f.name
		}
		if t.tuple {
			return "(" + strings.Join(parts, ", ") + ")"
		}
		return "<anonymous type: " + strings.Join(parts, ", ") + ">"
	}
	if k, ok := keywordNames[t.namespace+"."+t.name]; ok {
		return k
	}
	list := t.args
	if len(list) == 0 {
		list = t.params
	}
	if len(list) == 0 {
		return t.outerName() + t.name
	}
	parts := make([]string, len(list))
	for i, a := range list {
		parts[i] = a.String()
	}
	return t.name + "<" + strings.Join(parts, ", ") + ">"
}

// qualified is String with the namespace, which keywords do not have.
func (t *Type) qualified() string {
	s := t.String()
	if t.kind == kindRecord || t.nested || t.namespace == "" || keywordNames[t.namespace+"."+t.name] != "" {
		return s
	}
	return t.namespace + "." + s
}

// outerName is what stands before the name of a nested type in C# source.
func (t *Type) outerName() string {
	if !t.nested {
		return ""
	}
	return t.namespace[strings.LastIndexByte(t.namespace, '.')+1:] + "."
}

// ToString is System.Type.ToString().
func (t *Type) ToString() string { return t.FullName() }

// ClrName is the name of the type of type objects.
func (t *Type) ClrName() string { return "System.RuntimeType" }

func (t *Type) zero() any {
	z := t.goType.zero
	if t.def != nil {
		z = t.def.goType.zero
	}
	if z == nil {
		return nil
	}
	return z(t)
}
