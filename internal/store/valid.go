package store

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// storable reports whether both databases can keep s as text; no stored text is equal to one that is not.
func storable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

func checkText(what, s string, limit int) error {
	switch {
	case len(s) > limit:
		return fmt.Errorf("%w %s: longer than %d bytes", ErrInvalid, what, limit)
	case !storable(s):
		return fmt.Errorf("%w %s: not UTF-8, or with a zero byte", ErrInvalid, what)
	}
	return nil
}

func checkID(what, id string, optional bool) error {
	if err := checkText(what, id, MaxIDBytes); err != nil {
		return err
	}
	if id == "" && !optional {
		return fmt.Errorf("%w %s: empty", ErrInvalid, what)
	}
	if strings.ToLower(id) != id {
		return fmt.Errorf("%w %s %q: not in lower case", ErrInvalid, what, id)
	}
	return nil
}

// firstError returns the first error that is one.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Document) check() error {
	err := firstError(
		checkID("ID", d.ID, false),
		checkID("service", d.Service, true),
		checkID("parent", d.Parent, true),
		checkText("path", d.Path, MaxIDBytes),
		checkText("type", d.Type, MaxWordBytes),
		checkText("name", d.Name, MaxIDBytes),
		checkText("etag", d.ETag, MaxWordBytes),
	)
	if err != nil {
		return err
	}
	if len(d.Body) > MaxBodyBytes {
		return fmt.Errorf("%w body: longer than %d bytes", ErrInvalid, MaxBodyBytes)
	}
	for name, value := range d.Secrets {
		if err := checkText("secret name", name, MaxWordBytes); err != nil {
			return err
		}
		if len(value) > MaxSecretBytes {
			return fmt.Errorf("%w secret %q: longer than %d bytes", ErrInvalid, name, MaxSecretBytes)
		}
	}
	return nil
}

func (i Index) check() error {
	return firstError(
		checkText("index name", i.Name, MaxWordBytes),
		checkText("value of index "+i.Name, i.Value, MaxIDBytes),
	)
}

func (q Query) check() error {
	if q.Service == "" && q.Parent == "" && q.Under == "" && q.Index == "" {
		return fmt.Errorf("%w query: needs a service, parent, root or index", ErrInvalid)
	}
	if q.Limit < 0 || q.Offset < 0 {
		return fmt.Errorf("%w query: negative limit or offset", ErrInvalid)
	}
	for _, s := range []string{q.Service, q.Parent, q.Under, q.Type, q.Name, q.Text, q.Index, q.Value, q.After, q.Until} {
		if !storable(s) {
			return fmt.Errorf("%w query: not UTF-8, or with a zero byte", ErrInvalid)
		}
	}
	return nil
}
