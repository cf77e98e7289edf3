package clr

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/csharp"
)

// The members of System.Globalization.DateTimeStyles that change anything here.
const (
	styleWhite           = 7
	styleNoCurrentDate   = 8
	styleAdjustUniversal = 16
	styleAssumeLocal     = 32
	styleAssumeUniversal = 64
	styleRoundtrip       = 128
)

// parsedDate is what a text says about a point in time; zero fields were not given.
type parsedDate struct {
	year, month, day     int
	weekday              time.Weekday
	hasWeekday           bool
	hasTime              bool
	hour, minute, second int
	hour12, am, pm       bool
	ticks                int64 // of the fraction of a second
	zone                 *TimeSpan
	utc                  bool // the zone was written Z or GMT

	wrongWeekday, impossible, outOfRange bool // why there is no such time, once that is known
}

// clock gives the ticks that the text shows; now gives the date when the text has none.
func (p *parsedDate) clock(now time.Time, styles int) (int64, bool) {
	y, m, d, h := p.year, p.month, p.day, p.hour
	if y == 0 && m == 0 && d == 0 && styles&styleNoCurrentDate != 0 {
		y = 1
	}
	if y == 0 && m == 0 && d == 0 {
		y, m, d = now.UTC().Year(), int(now.UTC().Month()), now.UTC().Day()
	}
	if y == 0 {
		y = now.UTC().Year()
	}
	m, d = max(m, 1), max(d, 1)
	switch {
	case p.am && h > 12:
		return 0, false
	case p.am:
		h %= 12
	case p.pm && h < 12:
		h += 12
	}
	p.impossible = y > 9999 || m > 12 || d > daysInMonth(y, m) || h > 23 || p.minute > 59 || p.second > 59
	if p.impossible {
		return 0, false
	}
	n := dateTicks(y, m, d) + timeTicks(h, p.minute, p.second, 0) + p.ticks
	p.wrongWeekday = p.hasWeekday && (DateTime{Ticks: n}).Time().Weekday() != p.weekday
	return n, !p.wrongWeekday
}

// dateTime applies the styles. A text with a zone gives local time, which is UTC here.
func (p *parsedDate) dateTime(now time.Time, styles int) (DateTime, bool) {
	n, ok := p.clock(now, styles)
	if !ok {
		return DateTime{}, false
	}
	if p.zone == nil {
		switch {
		case styles&(styleAssumeUniversal|styleAssumeLocal) == 0:
			return DateTime{n, KindUnspecified}, true
		case styles&styleAdjustUniversal != 0:
			return DateTime{n, KindUTC}, true
		}
		return DateTime{n, KindLocal}, true
	}
	if n -= int64(*p.zone); n < 0 || n > maxTicks {
		p.outOfRange = true
		return DateTime{}, false
	}
	if styles&styleAdjustUniversal != 0 || p.utc && styles&styleRoundtrip != 0 {
		return DateTime{n, KindUTC}, true
	}
	return DateTime{n, KindLocal}, true
}

// offset gives the DateTimeOffset of the text; without a zone it is local time, which is UTC here.
func (p *parsedDate) offset(now time.Time, styles int) (DateTimeOffset, bool) {
	n, ok := p.clock(now, styles)
	if !ok {
		return DateTimeOffset{}, false
	}
	o := DateTimeOffset{Clock: n}
	if p.zone != nil {
		o.Offset = *p.zone
	}
	if u := o.utc(); u < 0 || u > maxTicks {
		return DateTimeOffset{}, false
	}
	if styles&styleAdjustUniversal != 0 {
		o = DateTimeOffset{Clock: o.utc()}
	}
	return o, true
}

// fullYear completes a year of two digits as the invariant calendar does: 2000 to 2049, 1950 to 1999.
func fullYear(y int, pattern string) int {
	switch {
	case len(pattern) > 2 || y > 99:
		return y
	case y < 50:
		return 2000 + y
	}
	return 1900 + y
}

// quotedLiteral reads the quoted text of a format at i and gives where the format goes on.
func quotedLiteral(format string, i int) (text string, next int) {
	var b strings.Builder
	for k := i + 1; k < len(format); k++ {
		switch {
		case format[k] == format[i]:
			return b.String(), k + 1
		case format[k] == '\\' && k+1 < len(format):
			k++
		}
		b.WriteByte(format[k])
	}
	formatError("Cannot find a matching quote character for the character '" + format[i:i+1] + "'.")
	return "", 0
}

// The shapes that DateTime.Parse takes in the invariant culture and that APIs send, most frequent first.
var (
	dateShapes = []string{"yyyy-M-d", "M/d/yyyy", "yyyy/M/d", "d MMM yyyy", "d MMMM yyyy", "MMM d yyyy", "MMMM d yyyy", "MMM d, yyyy",
		"MMMM d, yyyy", "ddd, d MMM yyyy", "dddd, d MMMM yyyy", "dddd, MMMM d, yyyy", "M-d-yyyy", "yyyy.M.d", "M/d/y", "M-d-y", "M/d", "d-MMM-yyyy",
		"d-MMM-yy", "yyyy-MMM-d", "dddd, d-MMM-yy", "ddd d MMM yyyy", "ddd MMM d yyyy", "dddd d MMMM yyyy", "yyyy-M", "M-yyyy", "M/yyyy", "MMMM yyyy", "MMM yyyy", "yyyy MMMM", "MMMM d", "MMM d"}
	isoShapes  = []string{"HH:mm:ss", "HH:mm", "HH:mm:ss.FFFFFFF"} // behind a T
	timeShapes = []string{"H:m:s", "H:m", "H:m:s.FFFFFFF", "H:m tt", "H:m:s tt", "H tt", "H:m:s.FFFFFFF tt"}
)

// parseDate is DateTime.Parse in the invariant culture.
func parseDate(s string) (*parsedDate, bool) {
	if csharp.IsNull(s) || len(s) > 100 {
		return nil, false
	}
	s = strings.Join(strings.FieldsFunc(s, isWhite), " ")
	if s == "" {
		return nil, false
	}
	s = plainDate(s)
	zone := false
	if at := len(s) - len(" GMT"); at > 0 && strings.EqualFold(s[at:], " GMT") && !isISO(s) {
		s, zone = s[:at], true
	}
	p, ok := parseShapes(s)
	if ok && zone {
		if p.zone != nil {
			return nil, false
		}
		p.zone, p.utc = new(TimeSpan), true
	}
	return p, ok
}

// isISO tells whether a time follows the date behind a T.
func isISO(s string) bool { return len(s) > 10 && s[10] == 'T' }

// plainDate writes what .NET takes in more than one form in the one that the shapes have: t and z in lower case or Z after a
// space, a zone of hours alone, AM and PM right behind a number.
func plainDate(s string) string {
	digit := func(i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
	if len(s) > 11 && s[10] == 't' && digit(9) && digit(11) {
		s = s[:10] + "T" + s[11:]
	}
	last := len(s) - 1
	switch up := strings.ToUpper(s[last:]); {
	case up == "Z" && digit(last-1):
		return s[:last] + "Z"
	case up == "Z" && digit(last-2) && s[last-1] == ' ':
		return s[:last-1] + "Z"
	case up == "M" && digit(last-2) && strings.ContainsRune("AaPp", rune(s[last-1])):
		return s[:last-1] + " " + s[last-1:]
	}
	if sign := strings.LastIndexAny(s, "+-"); sign > 0 && strings.Contains(s[:sign], ":") {
		switch hours := s[sign+1:]; {
		case len(hours) == 1 && digit(last):
			return s[:sign+1] + "0" + hours + ":00"
		case len(hours) == 2 && digit(last) && digit(last-1):
			return s + ":00"
		}
	}
	return s
}

func parseShapes(s string) (*parsedDate, bool) {
	// Digits of a fraction behind the seventh count for rounding only.
	if i := strings.LastIndexByte(s, '.'); i >= 0 && strings.Contains(s[:i], ":") {
		j := i + 1
		for j < len(s) && s[j] >= '0' && s[j] <= '9' {
			j++
		}
		if j == i+1 {
			return nil, false
		}
		if j > i+8 {
			up := s[i+8] >= '5'
			p, ok := parseShapes(s[:i+8] + s[j:])
			if ok && up {
				p.ticks++
			}
			return p, ok
		}
	}
	if p, ok := parseExact(s, "yyyy-M-dK", 0); ok {
		return p, true
	}
	for _, d := range dateShapes {
		if p, ok := parseExact(s, d, 0); ok {
			return p, true
		}
	}
	if !strings.ContainsAny(s, ":Mm") {
		return nil, false
	}
	dates, times, sep := dateShapes, timeShapes, " "
	if strings.Contains(s, "T") && s[0] <= '9' {
		dates, times, sep = []string{"yyyy-M-d", "yyyy/M/d"}, isoShapes, "'T'"
	}
	for _, t := range times {
		for _, z := range []string{"K", " zzz"} {
			for _, d := range dates {
				if p, ok := parseExact(s, d+sep+t+z, 0); ok {
					return p, true
				}
			}
			if p, ok := parseExact(s, t+z, 0); ok {
				return p, true
			}
		}
	}
	return nil, false
}

// unknownWord is the index of the first run of letters that can stand in no date; -1 when there is none.
func unknownWord(s string) int {
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && (s[j]|0x20 >= 'a' && s[j]|0x20 <= 'z') {
			j++
		}
		if j == i {
			i++
			continue
		}
		if word := strings.ToLower(s[i:j]); !slices.Contains([]string{"t", "z", "gmt", "am", "pm", "a", "p"}, word) && !isDateName(word) {
			return i
		}
		i = j
	}
	return -1
}

// isDateName tells whether a word in lower case is the name of a month or weekday, whole or of three letters.
func isDateName(word string) bool {
	for m := time.January; m <= time.December; m++ {
		if n := strings.ToLower(m.String()); word == n || word == n[:3] {
			return true
		}
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if n := strings.ToLower(d.String()); word == n || word == n[:3] {
			return true
		}
	}
	return false
}

// impossibleTime tells whether a text would be a date but for an hour, minute or second that is too great.
func impossibleTime(s string) bool {
	colon := strings.IndexByte(s, ':')
	if colon < 0 {
		return false
	}
	from := colon
	for from > 0 && s[from-1] >= '0' && s[from-1] <= '9' {
		from--
	}
	possible := []byte(s)
	changed := false
	for i, most := from, 23; i < len(possible); most = 59 {
		j := i
		for j < len(possible) && possible[j] >= '0' && possible[j] <= '9' {
			j++
		}
		if n, err := strconv.Atoi(s[i:j]); err == nil && j-i <= 2 && n > most {
			copy(possible[i:j], "0000"[:j-i])
			changed = true
		}
		if j >= len(possible) || possible[j] != ':' {
			break
		}
		i = j + 1
	}
	if !changed {
		return false
	}
	p, ok := parseDate(string(possible))
	if ok {
		_, ok = p.offset(time.Unix(0, 0), 0)
	}
	return ok
}
