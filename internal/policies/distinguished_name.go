package policies

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// nameAttribute is one attribute of a distinguished name. The type is its short name in capitals, or its object identifier.
type nameAttribute struct{ kind, value string }

func (a nameAttribute) equal(b nameAttribute) bool {
	return a.kind == b.kind && strings.EqualFold(a.value, b.value)
}

// nameKind is the short name of an attribute type (RFC 4519), or its object identifier.
func nameKind(id string) string {
	switch id {
	case "2.5.4.3":
		return "CN"
	case "2.5.4.4":
		return "SN"
	case "2.5.4.5":
		return "SERIALNUMBER"
	case "2.5.4.6":
		return "C"
	case "2.5.4.7":
		return "L"
	case "2.5.4.8":
		return "ST"
	case "2.5.4.9":
		return "STREET"
	case "2.5.4.10":
		return "O"
	case "2.5.4.11":
		return "OU"
	case "2.5.4.12":
		return "T"
	case "2.5.4.42":
		return "G"
	case "1.2.840.113549.1.9.1":
		return "E"
	case "0.9.2342.19200300.100.1.25":
		return "DC"
	case "0.9.2342.19200300.100.1.1":
		return "UID"
	}
	return id
}

// canonicalKind takes the other spellings of an attribute type.
func canonicalKind(kind string) string {
	kind = strings.ToUpper(strings.TrimSpace(kind))
	switch kind {
	case "S":
		return "ST"
	case "EMAIL", "EMAILADDRESS":
		return "E"
	case "GN", "GIVENNAME":
		return "G"
	case "TITLE":
		return "T"
	}
	return nameKind(strings.TrimPrefix(kind, "OID."))
}

var errName = errors.New("attributes have the form TYPE=VALUE and are separated by commas")

// parseName reads a distinguished name: TYPE=VALUE, separated by commas; a value with special characters stands in double quotes, in which a
// double quote is doubled (CertNameToStr), or has them after backslashes (RFC 4514).
func parseName(text string) ([]nameAttribute, error) {
	var list []nameAttribute
	for rest := text; ; {
		kind, value, ok := strings.Cut(rest, "=")
		if !ok || strings.TrimSpace(kind) == "" || strings.ContainsAny(kind, `",`) {
			return nil, errName
		}
		var after string
		if value, after, ok = nameValue(value); !ok {
			return nil, errName
		}
		list = append(list, nameAttribute{canonicalKind(kind), value})
		if after == "" {
			return list, nil
		}
		rest = after[1:]
	}
}

// nameValue reads a value and gives what comes behind, separator first.
func nameValue(s string) (value, rest string, ok bool) {
	s = strings.TrimLeft(s, " ")
	var b strings.Builder
	quoted := strings.HasPrefix(s, `"`)
	i := 0
	if quoted {
		i = 1
	}
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case quoted && c == '"':
			if strings.HasPrefix(s[i+1:], `"`) {
				i++
				b.WriteByte('"')
				continue
			}
			rest = strings.TrimLeft(s[i+1:], " ")
			return b.String(), rest, rest == "" || isNameSeparator(rest[0])
		case !quoted && isNameSeparator(c):
			return strings.TrimRight(b.String(), " "), s[i:], true
		default:
			b.WriteByte(c)
		}
	}
	return strings.TrimRight(b.String(), " "), "", !quoted
}

func isNameSeparator(c byte) bool { return c == ',' || c == ';' || c == '+' }

// equalName compares a written name with one in DER. People write names from either end.
func equalName(text string, der []byte) bool {
	want, err := parseName(text)
	if err != nil {
		return false
	}
	var sequence pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &sequence); err != nil || len(rest) > 0 {
		return false
	}
	var got []nameAttribute
	for _, set := range sequence {
		for _, a := range set {
			got = append(got, nameAttribute{nameKind(a.Type.String()), fmt.Sprint(a.Value)})
		}
	}
	if slices.EqualFunc(want, got, nameAttribute.equal) {
		return true
	}
	slices.Reverse(got)
	return slices.EqualFunc(want, got, nameAttribute.equal)
}
