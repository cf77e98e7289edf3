package csharp

// A Frame holds the locals of one activation of an expression, lambda or local function, by representation: integers and
// bool in ints.
type Frame struct {
	ints   []int64
	floats []float64
	strs   []string
	objs   []any
	run    *Run
	own    Run            // of the outermost frame
	label  int            // where goto goes
	yield  func(any) bool // of an iterator: gives an item, false when no more are wanted
	ret    result
}

// result is what a return statement leaves behind, in the field of the representation of the function's type.
type result struct {
	i int64
	f float64
	s string
	o any
	b bool
}

// layout says how many slots of each representation a function needs.
type layout struct{ ints, floats, strs, objs int }

func (l *layout) newFrame() *Frame {
	return &Frame{
		ints: make([]int64, l.ints), floats: make([]float64, l.floats),
		strs: make([]string, l.strs), objs: make([]any, l.objs),
	}
}

// clear drops references so that a pooled frame keeps nothing alive. Numbers may stay: definite assignment sees to it that a
// slot is written before it is read.
func (fr *Frame) clear() {
	if len(fr.strs) > 0 {
		clear(fr.strs)
	}
	if len(fr.objs) > 0 {
		clear(fr.objs)
	}
	if fr.ret.o != nil || fr.ret.s != "" {
		fr.ret = result{}
	}
	fr.own.host, fr.own.limits, fr.own.tries = nil, nil, nil
}
