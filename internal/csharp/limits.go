package csharp

import "time"

// Limits bound one run. The zero value of a field means the default; a nil *Limits means all defaults.
type Limits struct {
	Steps     int64         // loop rounds, calls of lambdas and items of sequences; default 10,000,000
	Depth     int           // nested calls of lambdas and local functions; default 200
	Memory    int64         // approximate bytes of strings, arrays and collections made; default 64 MiB
	RegexTime time.Duration // one match of a regular expression; default 1 s
	Time      time.Duration // the whole run, looked at every few hundred steps; default 10 s
	// Now is the clock of DateTime.Now and its like; nil means time.Now.
	Now func() time.Time
	// Random fills p with random bytes, for Guid.NewGuid and Random; nil means crypto/rand.
	Random func(p []byte)
	// Scratch is where strings are put together that live no longer than what the run is a part of; nil for the heap.
	Scratch *Scratch
}

const (
	defaultSteps     = 10_000_000
	defaultDepth     = 200
	defaultMemory    = 64 << 20
	defaultRegexTime = time.Second
	defaultTime      = 10 * time.Second
	stepsPerLook     = 256 // steps between two looks at the clock
)

// A Run is the state of one evaluation that library members may ask for: a Go function given to F1…F6 receives it as its
// first parameter when that has the type *Run.
type Run struct {
	host   any
	lib    *Library
	limits *Limits
	steps  int64     // until the next look at the clock
	later  int64     // steps after that
	ends   time.Time // when the run's time is over; zero until the first look
	memory int64
	depth  int
	tries  *tryFrame // the innermost try statement with catch clauses that is being run
}

func (r *Run) reset(lib *Library, host any, l *Limits) {
	// Field by field: a pooled Run is about to be overwritten and a composite literal would be copied.
	r.host, r.lib, r.limits = host, lib, l
	r.later, r.memory, r.depth = defaultSteps, defaultMemory, defaultDepth
	r.ends = time.Time{}
	if l != nil && l.Steps > 0 {
		r.later = l.Steps
	}
	r.steps = min(stepsPerLook, r.later)
	r.later -= r.steps
	if l == nil {
		return
	}
	if l.Memory > 0 {
		r.memory = l.Memory
	}
	if l.Depth > 0 {
		r.depth = l.Depth
	}
}

// Step spends one step.
func (r *Run) Step() {
	if r.steps--; r.steps < 0 {
		r.look()
	}
}

// look is due when the steps until it are spent: it ends a run that has no more steps or no more time. A clock that stands
// still, as in tests, never ends one.
func (r *Run) look() {
	r.later += r.steps
	if r.later < 0 {
		panic(&LimitError{Limit: "steps"})
	}
	r.steps = min(stepsPerLook, r.later)
	r.later -= r.steps
	r.Look()
}

// Look ends a run whose time is over. A member calls it where one step may take long.
func (r *Run) Look() {
	now := r.Now()
	if r.ends.IsZero() {
		r.ends = now.Add(r.time())
	} else if now.After(r.ends) {
		panic(&LimitError{Limit: "time"})
	}
}

func (r *Run) time() time.Duration {
	if r.limits != nil && r.limits.Time > 0 {
		return r.limits.Time
	}
	return defaultTime
}

// Steps spends n steps.
func (r *Run) Steps(n int) {
	if r.steps -= int64(n); r.steps < 0 {
		r.look()
	}
}

// Alloc spends n bytes of the memory budget; call it before making the value.
func (r *Run) Alloc(n int) {
	if r.memory -= int64(n); r.memory < 0 || n < 0 {
		panic(&LimitError{Limit: "memory"})
	}
}

// scratch is the memory for strings, which may be nil.
func (r *Run) scratch() *Scratch {
	if r.limits == nil {
		return nil
	}
	return r.limits.Scratch
}

func (r *Run) enter() {
	if r.depth--; r.depth < 0 {
		panic(&LimitError{Limit: "depth"})
	}
	r.Step()
}

func (r *Run) leave() { r.depth++ }

// Enter goes one level deeper, where a library member recurses into values that an expression made; Leave comes back.
func (r *Run) Enter() { r.enter() }

// Leave is the end of what Enter began.
func (r *Run) Leave() { r.leave() }

// Library is the library that the running program was compiled with.
func (r *Run) Library() *Library { return r.lib }

// Host is the host argument of the run.
func (r *Run) Host() any { return r.host }

// RegexTime is the time limit of one match.
func (r *Run) RegexTime() time.Duration {
	if r.limits != nil && r.limits.RegexTime > 0 {
		return r.limits.RegexTime
	}
	return defaultRegexTime
}

// Now is the current time of the run's clock.
func (r *Run) Now() time.Time {
	if r.limits != nil && r.limits.Now != nil {
		return r.limits.Now()
	}
	return time.Now()
}
