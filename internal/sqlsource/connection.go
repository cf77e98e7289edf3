package sqlsource

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// keyWords are the pairs of a connection string, with names in lower case and without spaces.
type keyWords map[string]string

// parseKeyWords reads NAME=VALUE;… (ADO.NET) or, for PostgreSQL's own form without semicolons, NAME=VALUE NAME=VALUE.
// Values may stand in quotes of both kinds; a quote in them is doubled.
func parseKeyWords(s string) (keyWords, error) {
	separators := ";"
	if !strings.Contains(s, ";") && strings.Count(s, "=") > 1 {
		separators = " \t\r\n"
	}
	pairs := make(keyWords)
	for rest := strings.TrimLeft(s, separators+" \t\r\n"); rest != ""; rest = strings.TrimLeft(rest, separators+" \t\r\n") {
		name, after, ok := strings.Cut(rest, "=")
		if !ok {
			return nil, errors.New("the connection string does not consist of names and values")
		}
		name = strings.NewReplacer(" ", "", "_", "").Replace(strings.ToLower(strings.TrimSpace(name)))
		value, tail, err := cutValue(strings.TrimLeft(after, " \t\r\n"), separators)
		if err != nil {
			return nil, err
		}
		pairs[name], rest = value, tail
	}
	return pairs, nil
}

func cutValue(s, separators string) (value, rest string, err error) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		i := strings.IndexAny(s, separators)
		if i < 0 {
			i = len(s)
		}
		return strings.TrimSpace(s[:i]), s[i:], nil
	}
	quote := s[:1]
	for i := 1; ; {
		j := strings.Index(s[i:], quote)
		if j < 0 {
			return "", "", errors.New("a quoted value of the connection string does not end")
		}
		i += j + 1
		if !strings.HasPrefix(s[i:], quote) {
			return strings.ReplaceAll(s[1:i-1], quote+quote, quote), s[i:], nil
		}
		i++
	}
}

// parseURL reads a postgres:// URL as the same pairs.
func parseURL(s string) (keyWords, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, errors.New("the connection string is no URL") // the error itself would show the password
	}
	pairs := make(keyWords)
	for name, values := range u.Query() {
		pairs[strings.ReplaceAll(strings.ToLower(name), "_", "")] = values[0]
	}
	set := func(name, value string) {
		if value != "" {
			pairs[name] = value
		}
	}
	set("host", u.Hostname())
	set("port", u.Port())
	set("database", strings.TrimPrefix(u.Path, "/"))
	if u.User != nil {
		password, _ := u.User.Password()
		set("user", u.User.Username())
		set("password", password)
	}
	return pairs, nil
}

// settings returns the values by the names of known, which maps every name to the one that it is another word for, "" for
// a name that is read and ignored. Other names are refused: some name files of the gateway or ways to sign in as it.
func (k keyWords) settings(known map[string]string) (map[string]string, error) {
	out := make(map[string]string)
	for name, value := range k {
		to, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("the connection string has %q, which is not supported", name)
		}
		if to != "" {
			out[to] = value
		}
	}
	return out, nil
}
