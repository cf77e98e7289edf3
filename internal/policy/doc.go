// Package policy is the policy engine: it reads policy documents, compiles them and runs them.
//
// The way of a document: the tolerant XML reader (parseXML) gives nodes with positions; named values are put in; the [Catalogue] turns
// elements into the structs that policies declare ([Define]) with constants and compiled expressions ([Value]) in their fields. Each section of
// a document becomes one shared block of steps. [Link] strings the blocks of the scopes together where `<base />` stands: a [Pipeline].
//
// A request runs a pipeline with an [Exec], the state behind the C# variable `context`. Policies reach the world only through [Host].
package policy
