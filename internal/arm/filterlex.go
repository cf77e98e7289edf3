package arm

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokBad
	tokName
	tokString
	tokNumber
	tokTime
	tokOpen
	tokClose
	tokComma
)

type token struct {
	kind   tokenKind
	text   string
	number float64
	time   time.Time
	pos    int
}

type filterLexer struct {
	text string
	pos  int
}

func (l *filterLexer) skipSpace() {
	for l.pos < len(l.text) && (l.text[l.pos] == ' ' || l.text[l.pos] == '\t') {
		l.pos++
	}
}

// peekOpen reports whether the next token is an opening parenthesis.
func (l *filterLexer) peekOpen() bool {
	l.skipSpace()
	return l.pos < len(l.text) && l.text[l.pos] == '('
}

func (l *filterLexer) next() token {
	l.skipSpace()
	start := l.pos
	if start == len(l.text) {
		return token{pos: start}
	}
	c := l.text[start]
	switch c {
	case '(', ')', ',':
		l.pos++
		kind := map[byte]tokenKind{'(': tokOpen, ')': tokClose, ',': tokComma}[c]
		return token{kind: kind, text: string(c), pos: start}
	case '\'':
		return l.quoted(start)
	}
	for l.pos < len(l.text) && isWordByte(l.text[l.pos]) {
		l.pos++
	}
	if l.pos == start {
		_, size := utf8.DecodeRuneInString(l.text[start:])
		l.pos += size
		return token{kind: tokBad, text: l.text[start:l.pos], pos: start}
	}
	word := l.text[start:l.pos]
	if c >= '0' && c <= '9' || c == '-' || c == '+' {
		return numberOrTime(word, start)
	}
	if strings.EqualFold(word, "datetime") && l.pos < len(l.text) && l.text[l.pos] == '\'' {
		t := l.quoted(start)
		return parseTime(t.text, start)
	}
	return token{kind: tokName, text: word, pos: start}
}

// quoted reads a string in single quotes; two quotes in it stand for one.
func (l *filterLexer) quoted(start int) token {
	var b strings.Builder
	for l.pos++; l.pos < len(l.text); l.pos++ {
		if c := l.text[l.pos]; c != '\'' {
			b.WriteByte(c)
			continue
		}
		l.pos++
		if l.pos == len(l.text) || l.text[l.pos] != '\'' {
			return token{kind: tokString, text: b.String(), pos: start}
		}
		b.WriteByte('\'')
	}
	return token{kind: tokBad, text: l.text[start:], pos: start}
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_/.-+:", c) >= 0
}

func numberOrTime(word string, pos int) token {
	if f, err := strconv.ParseFloat(word, 64); err == nil {
		return token{kind: tokNumber, text: word, number: f, pos: pos}
	}
	return parseTime(word, pos)
}

func parseTime(s string, pos int) token {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return token{kind: tokTime, text: s, time: t, pos: pos}
		}
	}
	return token{kind: tokBad, text: s, pos: pos}
}
