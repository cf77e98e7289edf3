package clr

import (
	"strconv"
	"strings"
)

// parseJSONDate reads the ISO 8601 form that Newtonsoft takes for a date: yyyy-MM-ddTHH:mm:ss with a fraction and a zone. A
// zone other than Z gives local time, which is UTC here.
func parseJSONDate(s string) (DateTime, bool) {
	if strings.HasPrefix(s, "/Date(") && strings.HasSuffix(s, ")/") {
		return parseMicrosoftDate(s[len("/Date(") : len(s)-len(")/")])
	}
	if len(s) < 19 || len(s) > 40 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return DateTime{}, false
	}
	var parts [6]int
	for i, at := range [...]int{0, 5, 8, 11, 14, 17} {
		n := 2
		if i == 0 {
			n = 4
		}
		for _, c := range []byte(s[at : at+n]) {
			if c < '0' || c > '9' {
				return DateTime{}, false
			}
			parts[i] = parts[i]*10 + int(c-'0')
		}
	}
	if parts[0] < 1 || parts[1] < 1 || parts[1] > 12 || parts[2] < 1 || parts[2] > daysInMonth(parts[0], parts[1]) ||
		parts[3] > 23 || parts[4] > 59 || parts[5] > 59 {
		return DateTime{}, false
	}
	d := newDate(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], 0, KindUnspecified)
	rest := s[19:]
	if strings.HasPrefix(rest, ".") {
		n := 1
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		if n == 1 || n > 8 {
			return DateTime{}, false
		}
		ticks, _ := strconv.ParseInt((rest[1:n] + "0000000")[:7], 10, 64)
		d.Ticks += ticks
		rest = rest[n:]
	}
	return d.inJSONZone(rest)
}

// parseMicrosoftDate reads milliseconds since 1970, with an offset that makes the time a local one.
func parseMicrosoftDate(s string) (DateTime, bool) {
	kind := KindUTC
	if i := strings.LastIndexAny(s, "+-"); i > 0 {
		if len(s)-i != 5 && len(s)-i != 3 {
			return DateTime{}, false
		}
		s, kind = s[:i], KindLocal
	}
	ms, err := strconv.ParseInt(s, 10, 64)
	if err != nil || ms < -unixEpochTicks/ticksPerMillisecond || ms > (maxTicks-unixEpochTicks)/ticksPerMillisecond {
		return DateTime{}, false
	}
	return DateTime{unixEpochTicks + ms*ticksPerMillisecond, kind}, true
}

func (d DateTime) inJSONZone(zone string) (DateTime, bool) {
	switch {
	case zone == "":
		return d, true
	case zone == "Z":
		return DateTime{d.Ticks, KindUTC}, true
	case zone[0] != '+' && zone[0] != '-':
		return DateTime{}, false
	}
	digits := strings.Replace(zone[1:], ":", "", 1)
	if len(digits) == 2 {
		digits += "00"
	}
	n, err := strconv.Atoi(digits)
	if len(digits) != 4 || err != nil || n%100 > 59 {
		return DateTime{}, false
	}
	offset := int64(n/100)*ticksPerHour + int64(n%100)*ticksPerMinute
	if zone[0] == '-' {
		offset = -offset
	}
	ticks := d.Ticks - offset
	return DateTime{ticks, KindLocal}, ticks >= 0 && ticks <= maxTicks
}
