package telemetry

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
)

// LogTarget is a form of log lines besides those of the standard output: a value of the setting telemetry.logs.local.
type LogTarget string

// The targets ("Configure local metrics and logs for Azure API Management self-hosted gateway").
const (
	// TargetLocalSyslog is the syslog daemon of the machine, in the form of RFC 3164 without a host.
	TargetLocalSyslog LogTarget = "localsyslog"
	// TargetRFC5424 is a syslog server, with the attributes of a line as structured data.
	TargetRFC5424 LogTarget = "rfc5424"
	// TargetJournal is systemd's journal, with the attributes of a line as fields.
	TargetJournal LogTarget = "journal"
	// TargetJSON takes a JSON object in each datagram.
	TargetJSON LogTarget = "json"
)

const (
	// syslogApp is what lines say that they come from.
	syslogApp = "causeway-gateway"
	// syslogID is the structured data element of RFC 5424; 32473 is the enterprise number for examples (RFC 5612).
	syslogID = "causeway@32473"
	// defaultFacility is user.
	defaultFacility = 1
	maxFacility     = 23
	// maxSyslogValue is the length of one value of structured data.
	maxSyslogValue = 2048
)

// ParseFacility reads a syslog facility: a number from 0 to 23, or a name such as local0; empty is user.
func ParseFacility(text string) (int, error) {
	if text == "" {
		return defaultFacility, nil
	}
	names := strings.Fields("kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock " +
		"local0 local1 local2 local3 local4 local5 local6 local7")
	for code, name := range names {
		if strings.EqualFold(text, name) {
			return code, nil
		}
	}
	code, err := strconv.Atoi(text)
	if err != nil || code < 0 || code > maxFacility {
		return 0, fmt.Errorf("%q is not a syslog facility: a number from 0 to %d or a name such as local0", text, maxFacility)
	}
	return code, nil
}

// syslogSeverity is the severity of a level (RFC 5424, 6.2.1).
func syslogSeverity(l slog.Level) int {
	switch {
	case l > slog.LevelError:
		return 2
	case l >= slog.LevelError:
		return 3
	case l >= slog.LevelWarn:
		return 4
	case l >= slog.LevelInfo:
		return 6
	}
	return 7
}

func appendPriority(b []byte, facility int, l slog.Level) []byte {
	return append(strconv.AppendInt(append(b, '<'), int64(facility*8+syslogSeverity(l)), 10), '>')
}

// appendRFC5424 writes a message of RFC 5424.
func (l *logLine) appendRFC5424(b []byte, facility int, host, process string) []byte {
	b = append(appendPriority(b, facility, l.severity), "1 "...)
	b = l.time.AppendFormat(b, "2006-01-02T15:04:05.000000Z")
	b = fmt.Appendf(b, " %s %s %s %s ", syslogName(host, 255), syslogApp, syslogName(process, 128), syslogName(l.event, 32))
	if len(l.attrs) == 0 {
		b = append(b, '-')
	} else {
		b = append(append(b, '['), syslogID...)
		for _, a := range l.attrs {
			b = append(append(append(b, ' '), syslogName(a.Key, 32)...), `="`...)
			b = append(appendParamValue(b, fieldText(a.Value)), '"')
		}
		b = append(b, ']')
	}
	return append(append(b, ' '), singleLine(l.message)...)
}

// syslogName makes a name of printable ASCII without what structured data needs (RFC 5424, 6.2 and 6.3.2); "-" of nothing.
func syslogName(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || strings.ContainsRune(`="]`, r) {
			return '_'
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), most)]
}

// appendParamValue escapes what RFC 5424, 6.3.3, wants escaped.
func appendParamValue(b []byte, s string) []byte {
	if len(s) > maxSyslogValue {
		s = s[:maxSyslogValue]
	}
	for _, r := range singleLine(strings.ToValidUTF8(s, "\uFFFD")) {
		if r == '"' || r == '\\' || r == ']' {
			b = append(b, '\\')
		}
		b = append(b, string(r)...)
	}
	return b
}

// appendLocalSyslog writes a message as the C library's syslog does: priority, time, tag with process.
func (l *logLine) appendLocalSyslog(b []byte, facility int, process string) []byte {
	b = appendPriority(b, facility, l.severity)
	b = l.time.AppendFormat(b, "Jan _2 15:04:05 ")
	b = fmt.Appendf(b, "%s[%s]: ", syslogApp, process)
	return l.appendSentence(b)
}

// appendJournal writes an entry in the journal's native form (systemd.io, "Native Journal Protocol").
func (l *logLine) appendJournal(b []byte) []byte {
	b = appendJournalField(b, "MESSAGE", l.message)
	b = appendJournalField(b, "PRIORITY", strconv.Itoa(syslogSeverity(l.severity)))
	b = appendJournalField(b, "SYSLOG_IDENTIFIER", syslogApp)
	b = appendJournalField(b, "EVENT_TYPE", l.event)
	for _, a := range l.attrs {
		if name := journalName(a.Key); name != "" {
			b = appendJournalField(b, name, fieldText(a.Value))
		}
	}
	return b
}

// appendJournalField writes a field, with its length before it when it has several lines.
func appendJournalField(b []byte, name, value string) []byte {
	b = append(b, name...)
	if strings.Contains(value, "\n") {
		b = append(b, '\n')
		b = binary.LittleEndian.AppendUint64(b, uint64(len(value)))
	} else {
		b = append(b, '=')
	}
	return append(append(b, value...), '\n')
}

// journalName makes a field's name of an attribute's: callerIpAddress is CALLER_IP_ADDRESS. Names that begin with an underscore are the journal's.
func journalName(key string) string {
	var b strings.Builder
	for i, r := range key {
		switch {
		case r >= 'A' && r <= 'Z':
			if i > 0 {
				b.WriteByte('_')
			}
			b.WriteRune(r)
		case r >= 'a' && r <= 'z':
			b.WriteRune(r - 'a' + 'A')
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
	}
	name := strings.TrimLeft(b.String(), "_0123456789")
	return name[:min(len(name), 64)]
}

// fieldText is the text of a value; objects are JSON.
func fieldText(v slog.Value) string {
	if v.Kind() != slog.KindAny {
		return v.String()
	}
	if _, ok := v.Any().(error); ok {
		return v.String()
	}
	if enc, err := json.Marshal(v.Any()); err == nil {
		return string(enc)
	}
	return v.String()
}
