package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
)

// watched is what files hold that somebody may replace while the process runs. It looks at them whenever it is asked, and reads them when they
// have changed.
type watched[T any] struct {
	files []string
	read  func() (T, error)

	mu    sync.Mutex
	stamp string // of the files as they were read
	value T
	good  bool
}

// get returns what the files hold; what they held before with the error while they cannot be used, such as between the writing of a certificate
// and of its key. good says that there is a value.
func (w *watched[T]) get() (value T, good bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	stamp := ""
	for _, f := range w.files {
		info, serr := os.Stat(f)
		if serr != nil {
			return w.value, w.good, serr
		}
		stamp += fmt.Sprintln(info.ModTime().UnixNano(), info.Size())
	}
	if w.good && stamp == w.stamp {
		return w.value, true, nil
	}
	if value, err = w.read(); err != nil {
		return w.value, w.good, err
	}
	w.value, w.stamp, w.good = value, stamp, true
	return value, true, nil
}

// latest is get for those who can use an older value as well as the newest one.
func (w *watched[T]) latest() (T, error) {
	value, good, err := w.get()
	if good {
		err = nil
	}
	return value, err
}

// watchCertificate watches a certificate with its private key. Without a file for the key, the one file holds both, as PEM or as PKCS#12 without
// a password.
func watchCertificate(certificate, key string) *watched[*tls.Certificate] {
	if key == "" {
		return &watched[*tls.Certificate]{files: []string{certificate}, read: func() (*tls.Certificate, error) { return applicationCertificate(certificate) }}
	}
	return &watched[*tls.Certificate]{files: []string{certificate, key}, read: func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		return &pair, err
	}}
}

// watchAuthorities watches a file with certificates of authorities in PEM.
func watchAuthorities(file string) *watched[*x509.CertPool] {
	return &watched[*x509.CertPool]{files: []string{file}, read: func() (*x509.CertPool, error) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, errors.New(file + " holds no certificate in PEM")
		}
		return pool, nil
	}}
}
