package importer

import "slices"

// join adds to an operation what another description of the same method says: JAX-RS describes a method for each media type that it takes or
// answers. What both have is taken from the first.
func (o *Operation) join(other *Operation) {
	o.Request.QueryParameters = joinParts(o.Request.QueryParameters, other.Request.QueryParameters, sameParameter)
	o.Request.Headers = joinParts(o.Request.Headers, other.Request.Headers, sameParameter)
	o.Request.Representations = joinParts(o.Request.Representations, other.Request.Representations, sameMedia)
	for i := range other.Responses {
		r := &other.Responses[i]
		at := slices.IndexFunc(o.Responses, func(have Response) bool { return have.StatusCode == r.StatusCode })
		if at < 0 {
			o.Responses = append(o.Responses, *r)
			continue
		}
		have := &o.Responses[at]
		have.Headers = joinParts(have.Headers, r.Headers, sameParameter)
		have.Representations = joinParts(have.Representations, r.Representations, sameMedia)
	}
}

func sameParameter(a, b Parameter) bool { return a.Name == b.Name }

func sameMedia(a, b Representation) bool { return a.ContentType == b.ContentType }

// joinParts appends what is new.
func joinParts[T any](list, more []T, same func(a, b T) bool) []T {
	for _, m := range more {
		if !slices.ContainsFunc(list, func(have T) bool { return same(have, m) }) {
			list = append(list, m)
		}
	}
	return list
}
