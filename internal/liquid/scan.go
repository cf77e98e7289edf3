package liquid

import (
	"fmt"
	"strings"
)

// token is a lexical element of what stands between braces.
type token struct {
	kind tokenKind
	text string
	at   int // offset in the template
}

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenNumber
	tokenString
	tokenMark // punctuation and operators
)

// scan splits the markup that begins at offset at. Characters that mean nothing are an error.
func scan(markup string, at int) ([]token, error) {
	var list []token
	for i := 0; i < len(markup); {
		c := markup[i]
		end := i + 1
		kind := tokenMark
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			i++
			continue
		case c == '"' || c == '\'':
			n := strings.IndexByte(markup[i+1:], c)
			if n < 0 {
				return nil, &located{at + i, "a text has no closing quote"}
			}
			list = append(list, token{tokenString, markup[i+1 : i+1+n], at + i})
			i += n + 2
			continue
		case isLetter(c):
			kind = tokenName
			for end < len(markup) && (isLetter(markup[end]) || isDigit(markup[end]) || markup[end] == '-') {
				end++
			}
			if end < len(markup) && markup[end] == '?' {
				end++
			}
		case isDigit(c) || c == '-' && end < len(markup) && isDigit(markup[end]):
			kind = tokenNumber
			end = numberEnd(markup, end)
		case end < len(markup) && isPair(markup[i:end+1]):
			end++
		case !strings.ContainsRune("|:,.[]()<>=", rune(c)):
			return nil, &located{at + i, fmt.Sprintf("unexpected %q", c)}
		}
		list = append(list, token{kind, markup[i:end], at + i})
		i = end
	}
	return append(list, token{tokenEnd, "", at + len(markup)}), nil
}

func isPair(s string) bool {
	switch s {
	case "==", "!=", "<>", "<=", ">=", "..":
		return true
	}
	return false
}

// numberEnd is where a number ends whose first characters have been read; ".." belongs to a range.
func numberEnd(s string, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i+1 < len(s) && s[i] == '.' && isDigit(s[i+1]) {
		for i++; i < len(s) && isDigit(s[i]); i++ {
		}
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c >= 0x80 }

// located is a syntax error at an offset.
type located struct {
	at      int
	message string
}

func (e *located) Error() string { return e.message }

// piece is a part of a template: text, {{ markup }} or {% markup %}.
type piece struct {
	kind byte // 't', '{' or '%'
	text string
	at   int // of text
}

// split cuts a template into pieces and applies the white space control of "-".
func split(src string) ([]piece, error) {
	var pieces []piece
	trimNext := false
	for at := 0; at < len(src); {
		open := nextOpen(src, at)
		text := src[at:open]
		from := at
		if trimNext {
			trimmed := strings.TrimLeft(text, " \t\r\n")
			from += len(text) - len(trimmed)
			text = trimmed
			trimNext = false
		}
		if open+2 < len(src) && src[open+2] == '-' {
			text = strings.TrimRight(text, " \t\r\n")
		}
		if text != "" {
			pieces = append(pieces, piece{kind: 't', text: text, at: from})
		}
		if open == len(src) {
			break
		}
		kind, closing := byte('{'), "}}"
		if src[open+1] == '%' {
			kind, closing = '%', "%}"
		}
		n := strings.Index(src[open+2:], closing)
		if n < 0 {
			return nil, &located{open, fmt.Sprintf("%q has no closing %q", src[open:open+2], closing)}
		}
		markup, start := src[open+2:open+2+n], open+2
		if strings.HasPrefix(markup, "-") {
			markup, start = markup[1:], start+1
		}
		if strings.HasSuffix(markup, "-") {
			markup, trimNext = markup[:len(markup)-1], true
		}
		pieces = append(pieces, piece{kind: kind, text: markup, at: start})
		at = open + n + 4
		if kind == '%' && strings.TrimSpace(markup) == "raw" {
			body, end, err := rawBody(src, at)
			if err != nil {
				return nil, err
			}
			pieces[len(pieces)-1] = piece{kind: 't', text: body, at: at}
			at, trimNext = end, false
		}
	}
	return pieces, nil
}

// nextOpen is where the next "{{" or "{%" stands; the end when there is none.
func nextOpen(src string, at int) int {
	for {
		n := strings.IndexByte(src[at:], '{')
		if n < 0 || at+n+1 == len(src) {
			return len(src)
		}
		at += n
		if c := src[at+1]; c == '%' || c == '{' {
			return at
		}
		at++
	}
}

// rawBody returns what stands up to {% endraw %} and where the template goes on.
func rawBody(src string, at int) (body string, end int, err error) {
	for from := at; ; {
		n := strings.Index(src[from:], "{%")
		if n < 0 {
			return "", 0, &located{at, `"raw" has no "endraw"`}
		}
		open := from + n
		closing := strings.Index(src[open+2:], "%}")
		if closing < 0 {
			return "", 0, &located{at, `"raw" has no "endraw"`}
		}
		if strings.Trim(src[open+2:open+2+closing], " \t\r\n-") == "endraw" {
			return src[at:open], open + closing + 4, nil
		}
		from = open + 2
	}
}
