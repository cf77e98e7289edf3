package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ExpressionLimits bound one evaluation of an expression. A zero field means the default, which no sensible expression comes near.
// An evaluation that exceeds one ends with an error that no catch clause sees; it goes to on-error like an exception.
type ExpressionLimits struct {
	Steps     int64         // rounds of loops, calls of lambdas, items of sequences; default 10,000,000
	Memory    int64         // approximate bytes of strings, arrays and collections made; default 64 MiB
	Depth     int           // nested calls of lambdas and local functions; default 200
	RegexTime time.Duration // one match of a regular expression; default 1 s
	Time      time.Duration // the whole evaluation; default 10 s
}

// mostDepth keeps the Go stack of a run that recurses within its limit small.
const mostDepth = 2000

// ParseExpressionLimits reads a list such as "steps=1000000,memory=16777216,depth=100,regex=500ms,time=2s"; what is missing keeps its default.
func ParseExpressionLimits(s string) (l ExpressionLimits, err error) {
	for item := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(item), "=")
		switch name {
		case "":
			continue
		case "steps":
			l.Steps, err = positive(value, 1<<62)
		case "memory":
			l.Memory, err = positive(value, 1<<40)
		case "depth":
			var n int64
			n, err = positive(value, mostDepth)
			l.Depth = int(n)
		case "regex":
			l.RegexTime, err = positiveTime(value)
		case "time":
			l.Time, err = positiveTime(value)
		default:
			return l, fmt.Errorf("%q is none of steps, memory, depth, regex and time", name)
		}
		if err != nil {
			return l, fmt.Errorf("limit %s of expressions: %w", name, err)
		}
	}
	return l, nil
}

func positiveTime(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err == nil && d <= 0 {
		err = fmt.Errorf("%s is not positive", s)
	}
	return d, err
}

func positive(s string, most int64) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is not a whole number", s)
	case n < 1 || n > most:
		return 0, fmt.Errorf("%d is not between 1 and %d", n, most)
	}
	return n, nil
}

// WithExpressionLimits is a copy of c whose expressions run within other limits.
func (c *Catalogue) WithExpressionLimits(l ExpressionLimits) *Catalogue {
	out := *c
	out.limits = l
	return &out
}

// ExpressionLimits are the limits in which a host runs the expressions of documents compiled with c.
func (c *Catalogue) ExpressionLimits() ExpressionLimits { return c.limits }

// An ExpressionLimiter is a Host that sets limits for expressions; other hosts have the defaults.
type ExpressionLimiter interface{ ExpressionLimits() ExpressionLimits }
