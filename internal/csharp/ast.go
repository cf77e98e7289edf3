package csharp

// The syntax tree. Every node knows the byte position that a message about it names.

type expr interface{ at() int }

type stmt interface{ at() int }

// typeRef is a type as written.
type typeRef struct {
	pos   int
	parts []typePart // dotted name; a keyword type is one part
	tuple []tupleElem
	// suffix holds, in order, 0 for ? and the rank for an array.
	suffix []int
}

type typePart struct {
	name string
	args []*typeRef
}

type tupleElem struct {
	typ  *typeRef
	name string
}

func (t *typeRef) at() int { return t.pos }

// unbound tells whether t is written without its type arguments, as in List<>.
func (t *typeRef) unbound() bool {
	n := len(t.parts)
	return n > 0 && len(t.parts[n-1].args) > 0 && t.parts[n-1].args[0] == nil
}

func (t *typeRef) isVar() bool {
	return t != nil && len(t.parts) == 1 && t.parts[0].name == "var" && len(t.suffix) == 0 && len(t.parts[0].args) == 0
}

type pos int

func (p pos) at() int { return int(p) }

type (
	litExpr struct {
		pos
		val any // nil is null
	}
	identExpr struct {
		pos
		name string
		args []*typeRef
	}
	// typeExpr is a type where an expression stands: int.Parse, List<int>.
	typeExpr struct {
		pos
		typ *typeRef
	}
	memberExpr struct {
		pos
		x    expr
		name string
		args []*typeRef
	}
	callExpr struct {
		pos
		fn    expr
		args  []argument
		query bool // made from a clause of a query
	}
	indexExpr struct {
		pos
		x    expr
		args []argument
	}
	// condExpr is x?.rest, where rest begins at a condHole.
	condAccess struct {
		pos
		x    expr
		hole *condHole
		rest expr
	}
	condHole struct{ pos }
	newExpr  struct {
		pos
		typ  *typeRef
		args []argument
		init *initializer
	}
	newArray struct {
		pos
		elem *typeRef // nil for new[]
		dims []expr
		rank int
		more []int // ranks of the element type's own array suffixes
		init *arrayInit
	}
	arrayInit struct {
		pos
		items []expr
	}
	newAnon struct {
		pos
		names []string
		exprs []expr
	}
	unaryExpr struct {
		pos
		op      string
		x       expr
		postfix bool
	}
	binaryExpr struct {
		pos
		op   string
		l, r expr
	}
	assignExpr struct {
		pos
		op   string // = or += and so on
		l, r expr
	}
	ternaryExpr struct {
		pos
		c, a, b expr
	}
	castExpr struct {
		pos
		typ *typeRef
		x   expr
	}
	isExpr struct {
		pos
		x   expr
		pat pattern
	}
	asExpr struct {
		pos
		x   expr
		typ *typeRef
	}
	typeofExpr struct {
		pos
		typ *typeRef
	}
	defaultExpr struct {
		pos
		typ *typeRef // nil for the literal
	}
	sizeofExpr struct {
		pos
		typ *typeRef
	}
	checkedExpr struct {
		pos
		x  expr
		on bool
	}
	interpExpr struct {
		pos
		parts []interpPiece
	}
	lambdaExpr struct {
		pos
		params []param
		typed  bool // parameter types are written
		any    bool // delegate { } without parameter list
		body   expr
		block  *blockStmt
		scope  *string // set for the parameter of a query: members of it are names
	}
	tupleExpr struct {
		pos
		names []string
		items []expr
	}
	throwExpr struct {
		pos
		x  expr
		ok bool // it stands where a throw expression may stand
	}
	// declExpr is out T x, out var x, var (a, b) parts, and the discard _.
	declExpr struct {
		pos
		typ  *typeRef
		name string
	}
)

// initializer is { … } behind new T.
type initializer struct {
	pos
	items []initItem
}

// initItem is name = x, [args] = x, x, or {x, y}; x may be a nested initializer.
type initItem struct {
	pos
	name  string
	index []argument
	value expr
	nest  *initializer
	list  []expr
}

type argument struct {
	pos
	name string
	mode string // "", ref, out, in
	x    expr
}

type interpPiece struct {
	text   string
	x      expr
	align  expr
	format string
}

type param struct {
	pos
	typ    *typeRef
	name   string
	mode   string // "", ref, out, in, params, this
	opt    expr
	hasOpt bool
}

// pattern is a type, a type with a name, a constant or var x.
type pattern struct {
	pos
	typ   *typeRef
	name  string
	value expr
	isVar bool
}

type (
	blockStmt struct {
		pos
		list []stmt
		end  int
	}
	localDecl struct {
		pos
		typ   *typeRef
		konst bool
		ref   bool // ref T x = ref y
		vars  []declarator
	}
	localFunc struct {
		pos
		name       string
		typeParams []string
		result     *typeRef
		params     []param
		body       expr
		block      *blockStmt
		iterator   bool // the block has a yield
	}
	exprStmt struct {
		pos
		x expr
	}
	ifStmt struct {
		pos
		c    expr
		a, b stmt
	}
	whileStmt struct {
		pos
		c    expr
		body stmt
		do   bool
	}
	forStmt struct {
		pos
		init []stmt
		c    expr
		post []expr
		body stmt
	}
	foreachStmt struct {
		pos
		typ  *typeRef
		name string
		into *tupleExpr // deconstruction
		x    expr
		body stmt
	}
	switchStmt struct {
		pos
		x        expr
		sections []switchSection
	}
	returnStmt struct {
		pos
		x expr
	}
	throwStmt struct {
		pos
		x expr
	}
	yieldStmt struct {
		pos
		x expr // nil: yield break
	}
	jumpStmt struct {
		pos
		what  string // break, continue, goto, goto case, goto default
		label string
		x     expr
	}
	labelStmt struct {
		pos
		label string
		body  stmt
	}
	tryStmt struct {
		pos
		body    *blockStmt
		catches []catchClause
		finally *blockStmt
	}
	usingStmt struct {
		pos
		decl *localDecl
		x    expr
		body stmt
	}
	lockStmt struct {
		pos
		x    expr
		body stmt
	}
	checkedStmt struct {
		pos
		body *blockStmt
		on   bool
	}
	emptyStmt struct{ pos }
)

type declarator struct {
	pos
	name string
	init expr // may be *arrayInit
	ref  bool // the initializer is `ref x`
}

type switchSection struct {
	pos
	labels []switchLabel
	body   []stmt
}

type switchLabel struct {
	pos
	isDefault bool
	pat       pattern
	when      expr
}

type catchClause struct {
	pos
	typ  *typeRef
	name string
	when expr
	body *blockStmt
}
