package clr
