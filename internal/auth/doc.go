// Package auth makes and checks the credentials of callers: the access tokens
// of self-hosted gateways, bearer tokens of the management plane, and the JSON
// Web Tokens of whoever calls an API. It gets access tokens for calls of ours.
package auth
