package message

import "net/http"

// ReasonPhrase is the usual reason phrase of a status code (IANA's registry); empty for codes without one.
func ReasonPhrase(status int) string { return http.StatusText(status) }
