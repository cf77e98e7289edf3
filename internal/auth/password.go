package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Parameters of argon2id, from OWASP's Password Storage Cheat Sheet.
const (
	argonMemory  = 19 << 10 // KiB
	argonPasses  = 2
	argonLanes   = 1
	argonSalt    = 16 // bytes
	argonKeySize = 32 // bytes
)

// Limits of passwords. The lower one is that of NIST SP 800-63B, section 5.1.1.1; composition rules are none.
const (
	MinPassword = 8    // characters
	MaxPassword = 1024 // bytes
)

// CheckNewPassword says what is wrong with a password that somebody chose; nil for nothing.
func CheckNewPassword(password string) error {
	switch {
	case utf8.RuneCountInString(password) < MinPassword:
		return fmt.Errorf("the password has fewer than %d characters", MinPassword)
	case len(password) > MaxPassword:
		return fmt.Errorf("the password has more than %d bytes", MaxPassword)
	case strings.Count(password, password[:1]) == len(password):
		return errors.New("the password repeats one character")
	}
	return nil
}

// HashPassword returns the argon2id hash of a password in the PHC string format.
func HashPassword(password string) string {
	var salt [argonSalt]byte
	_, _ = rand.Read(salt[:]) // never fails
	key := argon2.IDKey([]byte(password), salt[:], argonPasses, argonMemory, argonLanes, argonKeySize)
	text := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonPasses, argonLanes, text(salt[:]), text(key))
}

// PasswordMatches reports whether hash, made by [HashPassword] with these or other parameters, is that of the password.
// An empty hash takes as long as a real one and matches nothing: so nobody learns from the time which accounts exist.
func PasswordMatches(hash, password string) bool {
	if len(password) > MaxPassword {
		return false
	}
	var version, memory, passes, lanes uint32
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		argon2.IDKey([]byte(password), make([]byte, argonSalt), argonPasses, argonMemory, argonLanes, argonKeySize)
		return false
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &lanes); err != nil || version != argon2.Version {
		return false
	}
	if memory > 1<<20 || passes == 0 || passes > 20 || lanes == 0 || lanes > 16 {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(key) == 0 || len(key) > 128 {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, uint8(lanes), uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1
}
