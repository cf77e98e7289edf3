package clr

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// standardDates are the patterns of the standard format characters in the invariant culture. Those of U and the round-trip
// and RFC 1123 ones are chosen by formatDate.
var standardDates = map[byte]string{
	'd': "MM/dd/yyyy", 'D': "dddd, dd MMMM yyyy", 'f': "dddd, dd MMMM yyyy HH:mm", 'F': "dddd, dd MMMM yyyy HH:mm:ss",
	'g': "MM/dd/yyyy HH:mm", 'G': "MM/dd/yyyy HH:mm:ss", 'm': "MMMM dd", 'M': "MMMM dd", 'r': rfc1123Pattern, 'R': rfc1123Pattern,
	's': "yyyy'-'MM'-'dd'T'HH':'mm':'ss", 't': "HH:mm", 'T': "HH:mm:ss", 'u': "yyyy'-'MM'-'dd HH':'mm':'ss'Z'",
	'U': "dddd, dd MMMM yyyy HH:mm:ss", 'y': "yyyy MMMM", 'Y': "yyyy MMMM", 'o': roundTripPattern, 'O': roundTripPattern,
}

const (
	rfc1123Pattern   = "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'"
	roundTripPattern = "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK"
)

// formatDate is ToString of dates. offset is that of a DateTimeOffset, nil for a DateTime.
func formatDate(spec string, d DateTime, offset *TimeSpan) string {
	switch {
	case spec == "" && offset != nil:
		return customDate("MM/dd/yyyy HH:mm:ss zzz", d, offset)
	case spec == "":
		return customDate("MM/dd/yyyy HH:mm:ss", d, offset)
	case len(spec) > 1:
		return customDate(spec, d, offset)
	}
	pattern, ok := standardDates[spec[0]]
	if !ok || spec == "U" && offset != nil {
		formatError("Input string was not in a correct format.")
	}
	if offset != nil {
		switch spec[0] {
		case 'r', 'R', 'u':
			d = DateTime{d.Ticks - int64(*offset), KindUTC}
		case 'o', 'O':
			pattern = strings.TrimSuffix(pattern, "K") + "zzz"
		}
	}
	return customDate(pattern, d, offset)
}

// customDate formats by a pattern of several characters.
func customDate(spec string, d DateTime, offset *TimeSpan) string {
	var b strings.Builder
	t := d.Time()
	for i := 0; i < len(spec); {
		c := spec[i]
		n := 1
		for i+n < len(spec) && spec[i+n] == c {
			n++
		}
		switch c {
		case '\'', '"':
			text, next := quotedLiteral(spec, i)
			b.WriteString(text)
			i = next
			continue
		case '\\':
			if i+1 >= len(spec) {
				formatError("Input string was not in a correct format.")
			}
			b.WriteByte(spec[i+1])
			i += 2
			continue
		case '%':
			if i+1 >= len(spec) || spec[i+1] == '%' {
				formatError("Input string was not in a correct format.")
			}
			i++
			continue
		case 'f', 'F':
			writeFraction(&b, c, n, d)
		case 'd', 'M', 'y', 'g':
			writeDay(&b, c, n, t)
		case 'h', 'H', 'm', 's', 't':
			writeClock(&b, c, n, t)
		case 'z', 'K':
			writeZone(&b, c, n, d, offset)
		default: // ':' and '/' are themselves in the invariant culture
			b.WriteString(spec[i : i+n])
		}
		i += n
	}
	return b.String()
}

func writeFraction(b *strings.Builder, c byte, n int, d DateTime) {
	if n > 7 {
		formatError("Input string was not in a correct format.")
	}
	digits := fmt.Sprintf("%07d", d.Ticks%ticksPerSecond)[:n]
	if c == 'f' {
		b.WriteString(digits)
		return
	}
	digits = strings.TrimRight(digits, "0")
	if digits != "" {
		b.WriteString(digits)
		return
	}
	// A point before a fraction that is not there goes as well.
	if s := b.String(); strings.HasSuffix(s, ".") {
		b.Reset()
		b.WriteString(s[:len(s)-1])
	}
}

func pad(b *strings.Builder, n, width int) {
	s := strconv.Itoa(n)
	for i := len(s); i < width; i++ {
		b.WriteByte('0')
	}
	b.WriteString(s)
}

func writeDay(b *strings.Builder, c byte, n int, t time.Time) {
	switch c {
	case 'd':
		switch {
		case n <= 2:
			pad(b, t.Day(), n)
		case n == 3:
			b.WriteString(t.Weekday().String()[:3])
		default:
			b.WriteString(t.Weekday().String())
		}
	case 'M':
		switch {
		case n <= 2:
			pad(b, int(t.Month()), n)
		case n == 3:
			b.WriteString(t.Month().String()[:3])
		default:
			b.WriteString(t.Month().String())
		}
	case 'y':
		if n <= 2 {
			pad(b, t.Year()%100, n)
		} else {
			pad(b, t.Year(), n)
		}
	case 'g':
		b.WriteString("A.D.")
	}
}

func writeClock(b *strings.Builder, c byte, n int, t time.Time) {
	width := min(n, 2)
	switch c {
	case 'h':
		hour := t.Hour() % 12
		if hour == 0 {
			hour = 12
		}
		pad(b, hour, width)
	case 'H':
		pad(b, t.Hour(), width)
	case 'm':
		pad(b, t.Minute(), width)
	case 's':
		pad(b, t.Second(), width)
	case 't':
		half := "AM"
		if t.Hour() >= 12 {
			half = "PM"
		}
		b.WriteString(half[:width])
	}
}

// writeZone writes the offset from UTC: that of a DateTimeOffset, or the local one, which is zero.
func writeZone(b *strings.Builder, c byte, n int, d DateTime, offset *TimeSpan) {
	minutes := 0
	if offset != nil {
		minutes = int(*offset / ticksPerMinute)
	}
	if c == 'K' {
		for range n {
			switch {
			case offset == nil && d.Kind == KindUTC:
				b.WriteByte('Z')
			case offset == nil && d.Kind == KindUnspecified:
			default:
				b.WriteString(zoneText(minutes, true, 2))
			}
		}
		return
	}
	b.WriteString(zoneText(minutes, n >= 3, min(n, 2)))
}

func zoneText(minutes int, withMinutes bool, width int) string {
	sign := "+"
	if minutes < 0 {
		sign, minutes = "-", -minutes
	}
	if withMinutes {
		return fmt.Sprintf("%s%02d:%02d", sign, minutes/60, minutes%60)
	}
	return fmt.Sprintf("%s%0*d", sign, width, minutes/60)
}
