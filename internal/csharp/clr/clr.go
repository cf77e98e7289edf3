// Package clr is the .NET library that policy expressions may call: one file for each type, wired in list.go.
package clr
