package armtemplate

import (
	"strings"
)

// Hidden stands for a secret in what is shown.
const Hidden = "*******"

// minWithin is the length from which on a secret is looked for within other texts, too.
const minWithin = 6

// Secrets returns the texts in the values of the secure parameters.
func (d *Deployment) Secrets() (all []string) {
	for _, b := range d.parameters {
		if _, secure := d.kind(b.def); secure && b.state == 2 {
			all = collect(all, b.v)
		}
	}
	return all
}

func collect(all []string, v Value) []string {
	switch v := v.(type) {
	case string:
		if v != "" {
			all = append(all, v)
		}
	case []Value:
		for _, item := range v {
			all = collect(all, item)
		}
	case *Object:
		for _, k := range v.Keys() {
			item, _ := v.Get(k)
			all = collect(all, item)
		}
	}
	return all
}

// Hide returns a value with [Hidden] where it holds one of the secrets. The value itself is not changed.
func Hide(v Value, secrets []string) Value {
	switch v := v.(type) {
	case string:
		for _, s := range secrets {
			if v == s {
				return Hidden
			}
			if len(s) >= minWithin {
				v = strings.ReplaceAll(v, s, Hidden)
			}
		}
		return v
	case []Value:
		out := make([]Value, len(v))
		for i, item := range v {
			out[i] = Hide(item, secrets)
		}
		return out
	case *Object:
		out := &Object{}
		for _, k := range v.Keys() {
			item, _ := v.Get(k)
			out.Set(k, Hide(item, secrets))
		}
		return out
	}
	return v
}
