// Package xmlx is XML as policies see it: a tree that keeps the order of nodes, prefixes and namespace declarations, read within limits and
// written again.
//
// Sources: Extensible Markup Language 1.0 and Namespaces in XML 1.0 (W3C).
package xmlx
