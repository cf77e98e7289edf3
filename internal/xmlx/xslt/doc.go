// Package xslt is XSLT 1.0 as XslCompiledTransform of .NET runs it with its safe settings: no scripts, no document() and no other stylesheets, but
// msxsl:node-set. A stylesheet is compiled once to closures; a run is bounded in steps, depth and output.
//
// Sources: XSL Transformations (XSLT) 1.0 (W3C); Microsoft's documentation of System.Xml.Xsl.
package xslt
