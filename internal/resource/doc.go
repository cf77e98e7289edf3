// Package resource is the resource engine: it turns declarations of ARM resource types into a management API.
//
// A type is declared once with [Define], from a struct of properties and a [Spec]. Routes, verbs, validation, ETags,
// filters, the OpenAPI document, the reference page and the generated tests are derived from that. A [Catalogue] is
// the set of declared types; an [Engine] serves it from a store; a [Publisher] follows the store's change log and
// turns changed documents into parts of gateway snapshots.
//
// # Properties
//
// The struct's tags are read once, by Define:
//
//	json    the name on the wire; matched without regard to case, answered in this spelling
//	doc     a sentence for the reference page and the OpenAPI document
//	filter  "yes": the field may be used in $filter, under its JSON name (a nested one as parent/child)
//	rule    a comma-separated list of rules:
//
//	required     not empty after the write (a pointer is not nil, a string not "", a list not empty)
//	max=N min=N  length of a string in characters or of a list, value of a number
//	enum=a|b|c   one of these; accepted in any case, stored as written in the tag
//	pattern=RE   the whole string matches this regular expression; must be the last rule of the tag
//	url          an absolute http, https, ws or wss URL
//	email        an e-mail address
//	ref=a|b      the ID of an existing resource of these types (paths such as apis or apis/operations); short or full
//	             on input, stored and answered in full. Deleting the target is refused while it is referred to
//	cascade      with ref: deleting the target deletes this resource
//	clear        with ref: deleting the target empties the field
//	secret       stored encrypted and left out of answers; hooks see it. On PATCH an absent one is kept
//	readonly     ignored on input, kept from the stored document; hooks set it
//	writeonly    accepted on input and seen by hooks, neither stored nor answered
//	immutable    a PATCH or PUT may not change it once it is set
//
// Unknown properties are ignored and not kept, as ARM does. A field of type json.RawMessage takes any JSON and keeps
// it byte for byte.
package resource
