package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// MaxDebugTokenLife is the longest life of a debug token, and the usual one.
// Source: learn.microsoft.com, "Debug your APIs using request tracing".
const MaxDebugTokenLife = time.Hour

const (
	debugTokenPurpose = "tracing"
	maxDebugToken     = 2048 // bytes
)

// ErrDebugTokenMalformed means that the text is no debug token, or that no
// current key made it: it was forged, or debug credentials were invalidated.
var ErrDebugTokenMalformed = errors.New("malformed or void debug token")

// DebugToken lets its bearer trace requests to one API on one gateway:
//
//	aid={api}&gid={gateway}&p=tracing&ex={Unix time}&sn={base64url(HMAC-SHA256(key, what stands before "&sn="))}
type DebugToken struct {
	// API is the name of the API, with ";rev=N" for one revision only.
	API string
	// Gateway is "managed" or the name of a self-hosted gateway.
	Gateway string
	// Expiry is the moment (whole seconds) from which the token is void.
	Expiry time.Time
}

// DebugKey derives the key of a gateway's debug tokens from the key of its
// service. The epoch counts how often debug credentials were invalidated.
func DebugKey(serviceKey []byte, gateway string, epoch int64) []byte {
	mac := hmac.New(sha256.New, serviceKey)
	mac.Write([]byte("debug credentials\n" + strings.ToLower(gateway) + "\n" + strconv.FormatInt(epoch, 10)))
	return mac.Sum(nil)
}

// Sign makes the text of the token.
func (t DebugToken) Sign(key []byte) string {
	body := "aid=" + url.QueryEscape(t.API) + "&gid=" + url.QueryEscape(t.Gateway) + "&p=" + debugTokenPurpose + "&ex=" + strconv.FormatInt(t.Expiry.Unix(), 10)
	return body + "&sn=" + signDebugToken(body, key)
}

func signDebugToken(body string, key []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(body))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// VerifyDebugToken reads a token that key made for a gateway. A token that is
// right but late comes with a [TokenExpiredError]; every other error is
// [ErrDebugTokenMalformed], which never repeats the token.
func VerifyDebugToken(text string, key []byte, gateway string, now time.Time) (DebugToken, error) {
	body, signature, ok := strings.Cut(text, "&sn=")
	if !ok || len(text) > maxDebugToken || !hmac.Equal([]byte(signDebugToken(body, key)), []byte(signature)) {
		return DebugToken{}, ErrDebugTokenMalformed
	}
	fields, err := url.ParseQuery(body)
	if err != nil {
		return DebugToken{}, ErrDebugTokenMalformed
	}
	expiry, err := strconv.ParseInt(fields.Get("ex"), 10, 64)
	if err != nil || fields.Get("p") != debugTokenPurpose || !strings.EqualFold(fields.Get("gid"), gateway) {
		return DebugToken{}, ErrDebugTokenMalformed
	}
	t := DebugToken{API: fields.Get("aid"), Gateway: fields.Get("gid"), Expiry: time.Unix(expiry, 0).UTC()}
	if !now.Before(t.Expiry) {
		return t, fmt.Errorf("debug credentials: %w", &TokenExpiredError{At: t.Expiry})
	}
	return t, nil
}

// Covers says whether the token is for a revision of an API, whose name stands
// here without it. A token that names no revision is for all of them.
func (t DebugToken) Covers(name, revision string) bool {
	api, wanted, has := strings.Cut(t.API, ";rev=")
	return strings.EqualFold(api, name) && (!has || wanted == revision)
}
