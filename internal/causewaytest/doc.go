// Package causewaytest is the harness for tests of the whole system, and the place of the tests that watch over the
// house: layers, dependencies and rules of style.
//
// [Scripts] runs testscript files against the real binary; README.md in this folder describes their commands. [System]
// does the same for tests and benchmarks in Go.
// [Backend] is a scripted HTTP server that records what it was sent byte by byte, and [Clock] is a clock that tests
// move.
package causewaytest
