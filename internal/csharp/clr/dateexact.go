package clr

import (
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// exactReader reads a date by a pattern.
type exactReader struct {
	s   string
	out *parsedDate
}

func needDateFormat(format string) {
	needString(format, "format")
	if format == "" {
		formatError("Format specifier '' was invalid.")
	}
}

// parseExact reads a text that has exactly the form of a pattern.
func parseExact(s, format string, styles int) (*parsedDate, bool) {
	if csharp.IsNull(s) || format == "" {
		return nil, false
	}
	if len(format) == 1 {
		pattern, ok := standardDates[format[0]]
		if !ok {
			formatError("Input string was not in a correct format.")
		}
		format = pattern
	}
	if styles&styleWhite != 0 {
		s, format = strings.TrimSpace(s), strings.TrimSpace(format)
	}
	r := exactReader{s: s, out: &parsedDate{}}
	for i := 0; i < len(format); {
		next, ok := r.step(format, i)
		if !ok {
			return nil, false
		}
		i = next
	}
	return r.out, r.s == ""
}

// step takes what the pattern has at i and returns where it goes on.
func (r *exactReader) step(format string, i int) (int, bool) {
	c, n := format[i], 1
	for i+n < len(format) && format[i+n] == c {
		n++
	}
	switch c {
	case '\'', '"':
		text, next := quotedLiteral(format, i)
		return next, r.literal(text)
	case '\\':
		if i+1 >= len(format) {
			return 0, false
		}
		return i + 2, r.literal(format[i+1 : i+2])
	case '%':
		return i + 1, i+1 < len(format)
	case 'd', 'M', 'y':
		return i + n, r.day(c, n)
	case 'h', 'H', 'm', 's', 't', 'f', 'F':
		return i + n, r.clock(c, n)
	case 'z', 'K':
		return i + n, r.zone(c, n)
	case 'Z':
		return i + 1, r.utc()
	case 'g':
		return i + n, r.literal("A.D.")
	case '.':
		if i+1 < len(format) && format[i+1] == 'F' && !strings.HasPrefix(r.s, ".") {
			return i + 1, true // an absent fraction has no point
		}
	}
	return i + 1, r.literal(format[i : i+1])
}

func (r *exactReader) literal(text string) bool {
	rest, ok := strings.CutPrefix(r.s, text)
	r.s = rest
	return ok
}

// number reads from least to most digits.
func (r *exactReader) number(least, most int) (int, bool) {
	n := 0
	for n < len(r.s) && n < most && r.s[n] >= '0' && r.s[n] <= '9' {
		n++
	}
	if n < least {
		return 0, false
	}
	v, err := strconv.Atoi(r.s[:n])
	r.s = r.s[n:]
	return v, err == nil
}

// digits is the span of a field of one or two letters.
func digits(n int) (least, most int) {
	if n == 1 {
		return 1, 2
	}
	return 2, 2
}

func (r *exactReader) day(c byte, n int) (ok bool) {
	p := r.out
	least, most := digits(n)
	switch {
	case c == 'd' && n <= 2:
		p.day, ok = r.number(least, most)
	case c == 'd':
		for d := time.Sunday; d <= time.Saturday; d++ {
			if r.name(d.String(), n == 3) {
				p.weekday, p.hasWeekday = d, true
				return true
			}
		}
	case c == 'M' && n <= 2:
		p.month, ok = r.number(least, most)
	case c == 'M':
		for m := time.January; m <= time.December; m++ {
			if r.name(m.String(), n == 3) {
				p.month = int(m)
				return true
			}
		}
	case c == 'y' && n <= 2:
		if p.year, ok = r.number(least, most); ok {
			p.year = fullYear(p.year, "yy")
		}
	case c == 'y':
		p.year, ok = r.number(min(n, 4), max(n, 4))
		ok = ok && p.year > 0
	}
	return ok
}

// name takes a name of a day or month.
func (r *exactReader) name(full string, short bool) bool {
	if short {
		full = full[:3]
	}
	if len(r.s) < len(full) || !strings.EqualFold(r.s[:len(full)], full) {
		return false
	}
	r.s = r.s[len(full):]
	return true
}

func (r *exactReader) clock(c byte, n int) (ok bool) {
	p := r.out
	least, most := digits(n)
	p.hasTime = true
	switch c {
	case 'h':
		p.hour, ok = r.number(least, most)
		p.hour12 = true
		ok = ok && p.hour <= 12
	case 'H':
		p.hour, ok = r.number(least, most)
	case 'm':
		p.minute, ok = r.number(least, most)
	case 's':
		p.second, ok = r.number(least, most)
	case 't':
		switch {
		case r.name("AM"[:min(n, 2)], false):
			p.am, ok = true, true
		case r.name("PM"[:min(n, 2)], false):
			p.pm, ok = true, true
		}
	case 'f', 'F':
		count := 0
		for count < len(r.s) && count < n && r.s[count] >= '0' && r.s[count] <= '9' {
			count++
		}
		if n > 7 || c == 'f' && count < n {
			return false
		}
		if count > 0 {
			v, _ := strconv.ParseInt((r.s[:count] + "0000000")[:7], 10, 64)
			p.ticks = v
			r.s = r.s[count:]
		}
		ok = true
	}
	return ok
}

// utc takes the names of UTC, which Z in a pattern stands for.
func (r *exactReader) utc() bool {
	if r.out.zone != nil || !r.name("GMT", false) && !r.name("Z", false) {
		return false
	}
	r.out.zone, r.out.utc = new(TimeSpan), true
	return true
}

func (r *exactReader) zone(c byte, n int) bool {
	p := r.out
	if c == 'K' {
		if rest, ok := strings.CutPrefix(r.s, "Z"); ok {
			zone := TimeSpan(0)
			r.s, p.zone, p.utc = rest, &zone, true
			return true
		}
		if r.s == "" || r.s[0] != '+' && r.s[0] != '-' {
			return true
		}
		n = 3
	}
	if r.s == "" || r.s[0] != '+' && r.s[0] != '-' {
		return false
	}
	negative := r.s[0] == '-'
	r.s = r.s[1:]
	least := 1
	if n > 1 {
		least = 2
	}
	hours, ok := r.number(least, 2)
	minutes := 0
	if ok && n >= 3 {
		r.s = strings.TrimPrefix(r.s, ":")
		minutes, ok = r.number(2, 2)
	}
	if !ok || hours > 14 || minutes > 59 {
		return false
	}
	zone := TimeSpan(int64(hours)*ticksPerHour + int64(minutes)*ticksPerMinute)
	if negative {
		zone = -zone
	}
	p.zone = &zone
	return true
}
