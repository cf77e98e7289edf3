// Package xsd validates XML documents with XML schemas, XSD 1.0. The validator is github.com/jacoelho/xsd; this package decides what it sees: which
// documents references lead to, and how large content models may become.
//
// Source: XML Schema Part 1 and 2, second edition (W3C).
package xsd
