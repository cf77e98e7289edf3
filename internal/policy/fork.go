package policy

// Fork returns an Exec for a branch that runs beside others, in a goroutine of its own: for wait. The branch sees the variables as they are now;
// what it sets is its own until [Exec.Join]. Request and response are shared, so a branch must not change them; x itself rests meanwhile.
func (x *Exec) Fork() *Exec {
	x.forked = true
	branch := *x
	branch.atEnd, branch.stored, branch.written, branch.branch = nil, nil, nil, true
	branch.bodies = bodies{}
	return &branch
}

// Join takes over what a branch has set. Branches are joined in the order in which they end, so the last one wins. The variables that were forked
// stay shared with branches that still run.
func (x *Exec) Join(branch *Exec) {
	for _, name := range branch.written {
		x.SetVariable(name, branch.variables[name])
	}
	x.atEnd = append(x.atEnd, branch.atEnd...)
	x.stored = append(x.stored, branch.stored...)
}
