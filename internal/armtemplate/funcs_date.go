package armtemplate

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

func dateFunctions() map[string]function {
	return map[string]function{
		"utcnow": {0, 1, func(a args) Value {
			if !a.parameter {
				fail("The template function 'utcNow' can only be used in the default value of a parameter.")
			}
			return a.text(formatTime(a.d.world.Now().UTC(), a.optional(0, compactTime)))
		}},
		"datetimeadd": {2, 3, func(a args) Value {
			t := parseTime(a.str(0))
			return a.text(formatTime(addDuration(t, a.str(1)), a.optional(2, "yyyy-MM-ddTHH:mm:ssZ")))
		}},
		"datetimefromepoch": {1, 1, func(a args) Value {
			n := a.int(0)
			if n < -62135596800 || n > 253402300799 {
				fail("The time is not in the years 1 to 9999.")
			}
			return time.Unix(n, 0).UTC().Format("2006-01-02T15:04:05Z")
		}},
		"datetimetoepoch": {1, 1, func(a args) Value { return parseTime(a.str(0)).Unix() }},
	}
}

// compactTime is the format of utcNow().
const compactTime = "yyyyMMddTHHmmssZ"

func parseTime(s string) time.Time {
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "20060102T150405Z07:00",
		"2006-01-02T15:04", "2006-01-02", "1/2/2006 3:04:05 PM", "1/2/2006 15:04:05", "1/2/2006",
	} {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return t.UTC()
		}
	}
	fail("The value '%s' is not a date and time in ISO 8601.", shorten(s))
	return time.Time{}
}

// addDuration adds an ISO 8601 duration such as P3Y or -PT1H.
func addDuration(t time.Time, s string) time.Time {
	m := regexp.MustCompile(`^(-?)P(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,7})D)?(?:T(?:(\d{1,8})H)?(?:(\d{1,8})M)?(?:(\d{1,9})(?:\.\d+)?S)?)?$`).FindStringSubmatch(s)
	if m == nil || strings.HasSuffix(s, "P") || strings.HasSuffix(s, "T") {
		fail("The value '%s' is not an ISO 8601 duration.", shorten(s))
	}
	n := make([]int, len(m))
	for i, part := range m[2:] {
		n[i], _ = strconv.Atoi(part) // digits, or none
		if m[1] == "-" {
			n[i] = -n[i]
		}
	}
	t = addMonths(t, n[0]*12+n[1]).AddDate(0, 0, n[2]*7+n[3])
	t = t.Add(time.Duration(n[4])*time.Hour + time.Duration(n[5])*time.Minute + time.Duration(n[6])*time.Second)
	if t.Year() < 1 || t.Year() > 9999 {
		fail("The time is not in the years 1 to 9999.")
	}
	return t
}

// addMonths keeps within the month that it reaches, as .NET does: one month after 31 January is the end of February.
func addMonths(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month(), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC).AddDate(0, n, 0)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

// formatTime formats with a standard or custom format of .NET in the invariant culture.
func formatTime(t time.Time, layout string) string {
	switch layout {
	case "d":
		layout = "MM/dd/yyyy"
	case "D":
		layout = "dddd, dd MMMM yyyy"
	case "f":
		layout = "dddd, dd MMMM yyyy HH:mm"
	case "F":
		layout = "dddd, dd MMMM yyyy HH:mm:ss"
	case "g":
		layout = "MM/dd/yyyy HH:mm"
	case "G":
		layout = "MM/dd/yyyy HH:mm:ss"
	case "M", "m":
		layout = "MMMM dd"
	case "o", "O":
		layout = "yyyy-MM-ddTHH:mm:ss.fffffffZ"
	case "R", "r":
		layout = "ddd, dd MMM yyyy HH:mm:ss 'GMT'"
	case "s":
		layout = "yyyy-MM-ddTHH:mm:ss"
	case "t":
		layout = "HH:mm"
	case "T":
		layout = "HH:mm:ss"
	case "u":
		layout = "yyyy-MM-dd HH:mm:ssZ"
	case "Y", "y":
		layout = "yyyy MMMM"
	}
	var b strings.Builder
	for i := 0; i < len(layout); {
		c := layout[i]
		n := 1
		for i+n < len(layout) && layout[i+n] == c {
			n++
		}
		switch c {
		case '\'', '"':
			end := strings.IndexByte(layout[i+1:], c)
			if end < 0 {
				fail("The format of the date has no end of its text.")
			}
			b.WriteString(layout[i+1 : i+1+end])
			n = end + 2
		case '\\':
			if i+1 < len(layout) {
				b.WriteByte(layout[i+1])
			}
			n = 2
		case '%':
			n = 1
		default:
			b.WriteString(datePart(t, c, n))
		}
		i += n
	}
	return b.String()
}

// datePart formats n times the letter c of a custom format.
func datePart(t time.Time, c byte, n int) string {
	pick := func(layouts ...string) string { return t.Format(layouts[min(n, len(layouts))-1]) }
	switch c {
	case 'y':
		if n == 1 {
			return strconv.Itoa(t.Year() % 100)
		}
		return pick("06", "06", "2006", "2006")
	case 'M':
		return pick("1", "01", "Jan", "January")
	case 'd':
		return pick("2", "02", "Mon", "Monday")
	case 'h':
		return pick("3", "03")
	case 'H':
		if n == 1 {
			return strconv.Itoa(t.Hour())
		}
		return t.Format("15")
	case 'm':
		return pick("4", "04")
	case 's':
		return pick("5", "05")
	case 't':
		if n == 1 {
			return t.Format("PM")[:1]
		}
		return t.Format("PM")
	case 'f', 'F':
		digits := t.Format(".000000000")[1 : 1+min(n, 7)]
		if c == 'F' {
			digits = strings.TrimRight(digits, "0")
		}
		return digits
	case 'K':
		return "Z"
	case 'z':
		return []string{"+0", "+00", "+00:00"}[min(n, 3)-1]
	}
	return strings.Repeat(string(c), n)
}
