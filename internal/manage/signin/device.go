package signin

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/causeway-apim/causeway/internal/arm"
	"github.com/causeway-apim/causeway/internal/manage/directory"
)

// deviceInterval is how long a device waits between two questions (RFC 8628, section 3.5).
const deviceInterval = 5 * time.Second

// userCodeLetters have no vowels, so that codes make no words, and none that look alike (RFC 8628, section 6.1).
const userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"

const userCodeLength = 8

// deviceCode begins a sign-in on another device (RFC 8628, section 3.1).
func (s *Service) deviceCode(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "The device authorization endpoint takes POST.", http.StatusMethodNotAllowed)
		return
	}
	client, err := s.client(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	device, user := directory.RandomText(), newUserCode()
	g := &grant{
		Client: client.id, Scope: r.PostForm.Get("scope"), Resource: r.PostForm.Get("resource"), UserCode: user, Expires: s.c.Now().Add(deviceLife),
	}
	if err := s.grants.add(r.Context(), kindDevice, device, g); err != nil {
		s.fail(w, r, err)
		return
	}
	page := arm.BaseURL(r) + pathDevice
	shown := user[:4] + "-" + user[4:]
	arm.WriteJSON(w, http.StatusOK, map[string]any{
		"device_code": device, "user_code": shown, "verification_uri": page, "verification_url": page,
		"verification_uri_complete": page + "?user_code=" + shown,
		"expires_in":                int(deviceLife / time.Second), "interval": int(deviceInterval / time.Second),
		"message": "To sign in, open the page " + page + " in a browser and enter the code " + shown + ".",
	})
}

func newUserCode() string {
	var raw [1]byte
	code := make([]byte, 0, userCodeLength)
	for len(code) < userCodeLength {
		_, _ = rand.Read(raw[:]) // never fails
		if n := int(raw[0]); n < 256/len(userCodeLetters)*len(userCodeLetters) {
			code = append(code, userCodeLetters[n%len(userCodeLetters)])
		}
	}
	return string(code)
}

// redeemDevice answers a device's question whether the user has signed in (RFC 8628, section 3.4).
func (s *Service) redeemDevice(r *http.Request) (map[string]any, error) {
	client, err := s.client(r)
	if err != nil {
		return nil, err
	}
	code := r.PostForm.Get("device_code")
	if code == "" {
		code = r.PostForm.Get("code") // of version 1.0
	}
	now := s.c.Now()
	var g grant
	err = s.grants.use(r.Context(), kindDevice, code, func(v *grant) (bool, error) {
		last := v.Polled
		v.Polled = now
		g = *v
		switch {
		case v.Client != client.id:
			return true, refuse("invalid_grant", "The device code was made for another client.")
		case v.Denied:
			return false, refuse("access_denied", "The user refused.")
		case v.Principal != "":
			return false, nil
		case now.Sub(last) < deviceInterval/2:
			return true, refuse("slow_down", "Ask every %d seconds.", deviceInterval/time.Second)
		}
		return true, refuse("authorization_pending", "The user has not signed in yet.")
	})
	if errors.Is(err, errNoGrant) {
		return nil, refuse("expired_token", "The device code is not valid or has expired.")
	}
	if err != nil {
		return nil, err
	}
	return s.answerUser(r, &g)
}

// devicePage is where the user enters the code that the device shows.
func (s *Service) devicePage(w http.ResponseWriter, r *http.Request) {
	code := strings.ToUpper(r.Form.Get("user_code"))
	to := pathDevice
	if code != "" {
		to += "?user_code=" + cleanCode(code)
	}
	who, session := s.session(r)
	if who == nil {
		s.page(w, r, http.StatusOK, "signin", s.signInData(r, to, ""))
		return
	}
	data := map[string]any{"User": who.DisplayName, "Code": code, "Another": pathSignIn + "?return=" + url.QueryEscape(to)}
	if r.Method != http.MethodPost {
		s.page(w, r, http.StatusOK, "device", data)
		return
	}
	status, text := s.approve(r, cleanCode(code), who, session)
	if status == http.StatusOK {
		s.page(w, r, status, "done", map[string]any{"Text": text})
		return
	}
	data["Error"] = text
	s.page(w, r, status, "device", data)
}

// cleanCode is what is compared of a code as people type it.
func cleanCode(code string) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(userCodeLetters, c) {
			return c
		}
		return -1
	}, code)
}

// approve takes the user's answer and says how it went.
func (s *Service) approve(r *http.Request, code string, who *directory.Principal, session *grant) (status int, text string) {
	names := []string{"code " + who.ID, "code address " + remoteIP(r)}
	if wait := s.throttle.Wait(names...); wait > 0 {
		return http.StatusTooManyRequests, fmt.Sprintf("Too many codes were wrong. Try again in %s.", wholeSeconds(wait))
	}
	if !s.confirmed(r) {
		return http.StatusForbidden, "The page was open for too long. Try again."
	}
	id, _, err := s.grants.byUserCode(r.Context(), code)
	denied := r.PostForm.Get("answer") == "deny"
	if err == nil {
		err = s.grants.useID(r.Context(), id, func(v *grant) (bool, error) {
			if v.Principal != "" || v.Denied {
				return true, errNoGrant
			}
			v.Principal, v.Began, v.Denied = who.ID, session.Began, denied
			if denied {
				v.Principal = ""
			}
			return true, nil
		})
	}
	switch {
	case errors.Is(err, errNoGrant):
		s.throttle.Failed(names...)
		return http.StatusBadRequest, "This code is not known or has expired. Check what the device shows."
	case err != nil:
		_ = s.asOAuth(r, err) // logs it
		return http.StatusInternalServerError, "Something went wrong here. Try again."
	case denied:
		return http.StatusOK, "The device was refused. You can close this page."
	}
	return http.StatusOK, "The device is signed in. You can close this page."
}
