// Package auth makes and checks the credentials of callers: the access tokens
// of self-hosted gateways and bearer tokens of the management plane.
package auth
