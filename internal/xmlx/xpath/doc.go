// Package xpath is XPath 1.0: a tree whose nodes know their parents and their order, expressions and patterns compiled to closures, and a budget
// that bounds what a run may cost.
//
// Source: XML Path Language 1.0 (W3C).
package xpath
