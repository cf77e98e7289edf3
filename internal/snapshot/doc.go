// Package snapshot is the immutable configuration of gateways: the only thing
// that the data plane knows of the management plane.
//
// A snapshot belongs to one service and is a set of parts. A part is one
// document in the form that gateways use: an API, an operation, a policy
// document, a named value. A change of the configuration is a change of parts,
// so that everything after it (digest, transport, disk copy, compilation)
// costs what the change costs and not what the configuration costs.
package snapshot
