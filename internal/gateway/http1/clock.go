package http1

import "time"

// moment is a point on the monotonic clock of the operating system, which time limits follow: the time since the program began. Reading it costs half
// of what time.Now costs, which asks for the time of day too. The zero moment stands for none.
type moment time.Duration

// longAgo is a moment that makes waiting reads and writes return.
const longAgo moment = -1

var programStart = time.Now()

func now() moment { return moment(time.Since(programStart)) }

// plus is the moment that comes d later.
func (m moment) plus(d time.Duration) moment { return m + moment(d) }

// since is the time from another moment to this one.
func (m moment) since(other moment) time.Duration { return time.Duration(m - other) }

// time is the moment as connections take it for a deadline; the zero moment is no deadline.
func (m moment) time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return programStart.Add(time.Duration(m))
}
