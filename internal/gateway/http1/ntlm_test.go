package http1_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf16"

	//lint:ignore SA1019 NTLM is made of it
	"golang.org/x/crypto/md4"
)

// The server's side of NTLM version 2, from MS-NLMP: a proxy of the tests checks what the client's library makes.

// ntlmChallenge is a CHALLENGE_MESSAGE (2.2.1.2) with an empty target name and the end of a target information.
func ntlmChallenge(challenge string) []byte {
	const flags = 0x00000001 | 0x00000200 | 0x00080000 | 0x00800000 // Unicode, NTLM, extended session security, target information
	b := append([]byte("NTLMSSP\x00"), 2, 0, 0, 0)
	b = append(b, 0, 0, 0, 0, 56, 0, 0, 0) // target name
	b = binary.LittleEndian.AppendUint32(b, flags)
	b = append(b, challenge...)
	b = append(b, make([]byte, 8)...)      // reserved
	b = append(b, 4, 0, 4, 0, 56, 0, 0, 0) // target information
	b = append(b, make([]byte, 8)...)      // version
	return append(b, 0, 0, 0, 0)           // MsvAvEOL
}

// ntlmProves checks an AUTHENTICATE_MESSAGE (2.2.1.3) for a user.
func ntlmProves(message []byte, challenge, user, domain, password string) bool {
	if len(message) < 64 || !bytes.HasPrefix(message, []byte("NTLMSSP\x00\x03\x00\x00\x00")) {
		return false
	}
	field := func(at int) []byte {
		n, from := int(binary.LittleEndian.Uint16(message[at:])), int(binary.LittleEndian.Uint32(message[at+4:]))
		if from+n > len(message) {
			return nil
		}
		return message[from : from+n]
	}
	response := field(20)
	if len(response) < 16 || !bytes.Equal(field(28), utf16Bytes(domain)) || !bytes.Equal(field(36), utf16Bytes(user)) {
		return false
	}
	return hmac.Equal(response[:16], ntlmProof(ntlmKey(user, domain, password), challenge, response[16:]))
}

// ntlmKey is NTOWFv2 (3.3.2).
func ntlmKey(user, domain, password string) []byte {
	hash := md4.New()
	hash.Write(utf16Bytes(password))
	mac := hmac.New(md5.New, hash.Sum(nil))
	mac.Write(utf16Bytes(strings.ToUpper(user) + domain))
	return mac.Sum(nil)
}

// ntlmProof is NTProofStr (3.3.2).
func ntlmProof(key []byte, challenge string, blob []byte) []byte {
	mac := hmac.New(md5.New, key)
	mac.Write([]byte(challenge))
	mac.Write(blob)
	return mac.Sum(nil)
}

func utf16Bytes(s string) (b []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// TestNTLMPeer checks the tests' own side with the example of MS-NLMP, 4.2.4.
func TestNTLMPeer(t *testing.T) {
	t.Parallel()
	if got := hex.EncodeToString(ntlmKey("User", "Domain", "Password")); got != "0c868a403bfd7a93a3001ef22ef02e3f" {
		t.Errorf("the key is %s", got)
	}
}
