package xpath

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// token is a lexical unit: a name test, operator, literal or punctuation.
type token struct {
	kind tokenKind
	text string
}

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenNumber
	tokenLiteral
	tokenVariable
	tokenSymbol
	tokenOperator // and, or, div, mod and * as an operator
)

// maxExpression is the longest expression in bytes.
const maxExpression = 16 << 10

// scan splits an expression into tokens.
func scan(s string) ([]token, error) {
	if len(s) > maxExpression {
		return nil, fmt.Errorf("the expression is longer than %d bytes", maxExpression)
	}
	var list []token
	for i := 0; i < len(s); {
		if strings.IndexByte(xmlSpace, s[i]) >= 0 {
			i++
			continue
		}
		t, n, err := scanToken(s[i:], list)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
		i += n
	}
	return append(list, token{}), nil
}

// operandBefore says whether an operand stands before: then a name or * that comes next is an operator.
func operandBefore(list []token) bool {
	if len(list) == 0 {
		return false
	}
	switch last := list[len(list)-1]; last.kind {
	case tokenOperator:
		return false
	case tokenSymbol:
		return last.text == "*" || last.text == ")" || last.text == "]" || last.text == "." || last.text == ".."
	}
	return true
}

func scanToken(s string, before []token) (token, int, error) {
	c := s[0]
	for _, symbol := range [...]string{"::", "//", "..", "!=", "<=", ">="} {
		if strings.HasPrefix(s, symbol) {
			return token{tokenSymbol, symbol}, 2, nil
		}
	}
	switch {
	case '0' <= c && c <= '9' || c == '.' && len(s) > 1 && '0' <= s[1] && s[1] <= '9':
		n := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
		if n < 0 {
			n = len(s)
		}
		if strings.Count(s[:n], ".") > 1 {
			return token{}, 0, fmt.Errorf("%q is not a number", s[:n])
		}
		return token{tokenNumber, s[:n]}, n, nil
	case c == '"' || c == '\'':
		n := strings.IndexByte(s[1:], c)
		if n < 0 {
			return token{}, 0, fmt.Errorf("the text %s has no end", s)
		}
		return token{tokenLiteral, s[1 : n+1]}, n + 2, nil
	case c == '*' && operandBefore(before):
		return token{tokenOperator, "*"}, 1, nil
	case strings.IndexByte("()[].@,|+-=<>/*", c) >= 0:
		return token{tokenSymbol, s[:1]}, 1, nil
	case c == '$':
		n := qnameLength(s[1:])
		if n == 0 {
			return token{}, 0, fmt.Errorf("a name must follow $ in %q", s)
		}
		return token{tokenVariable, s[1 : n+1]}, n + 1, nil
	}
	n := qnameLength(s)
	if n == 0 {
		_, size := utf8.DecodeRuneInString(s)
		return token{}, 0, fmt.Errorf("unexpected %q", s[:size])
	}
	switch name := s[:n]; name {
	case "and", "or", "div", "mod":
		if operandBefore(before) {
			return token{tokenOperator, name}, n, nil
		}
	}
	return token{tokenName, s[:n]}, n, nil
}

// qnameLength is the length of a name, p:name or p:* at the start of s.
func qnameLength(s string) int {
	n := ncnameLength(s)
	if n == 0 || n+1 >= len(s) || s[n] != ':' || s[n+1] == ':' {
		return n
	}
	if s[n+1] == '*' {
		return n + 2
	}
	if m := ncnameLength(s[n+1:]); m > 0 {
		return n + 1 + m
	}
	return n
}

func ncnameLength(s string) int {
	for i, c := range s {
		start := c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' || c >= 0x80
		if !start && (i == 0 || !('0' <= c && c <= '9') && c != '-' && c != '.') {
			return i
		}
	}
	return len(s)
}
