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
//	default=V    value of an absent field of a PUT, in objects that are given
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
// its members' order; what must come back byte for byte is kept as a blob ([Tx.PutBlob]). A field without a rule that a
// PATCH must be able to tell apart from its zero value is a pointer. Work that Prepare leaves for later hooks is kept in
// fields tagged json:"-".
//
// # Order of a write
//
// PUT and PATCH: authorise, Guard; then, in one transaction: Alias, load the stored resource, If-Match, name and parent,
// decode, immutable fields, Default, rules and references, Check, store, After, View. A type with Prepare is decoded
// once more before the transaction, for Prepare; when the resource changed in between, both are repeated. Whatever fails
// leaves nothing behind. DELETE: If-Match, then for the resource and everything nested in it the Delete hooks and the
// cascade, clear or refusal of what refers to it.
//
// # Joins and other collections
//
// A type with Join links its parent to the resource of another type that has the same name: products/apis. It answers the
// linked resource under its own ID and goes when either side is deleted. [Joined] and [JoinedFrom] read it from both
// sides. A type with Items lists resources of other types, such as the products of an API.
//
// # Errors
//
// Hooks return [arm.Error] values for what the caller did wrong: [arm.Invalid] with the property's path as target,
// arm.Errorf(arm.CodeConflict, …) and so on. Every other error is answered as 500 and logged.
//
// # Finding and writing other resources
//
// Hooks use [Get], [All], [Reader.Lookup], [Reader.Resolve] and, to write, [Save], [SaveAll] and [Remove], with IDs made
// by [arm.ID.Child] or [arm.Below]. Index rows of a type's Indexes belong to the service; a unique one that is taken
// answers 409.
//
// # Publishing
//
// Publish is called for a document when it changed and when one changed that Affects it. It adds parts with the
// document's own path as their ID, or others. Parts that a document made before and does not make now are removed. It must
// depend on nothing but the document and what names it in Affects.
package resource
