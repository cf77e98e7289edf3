package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/causeway-apim/causeway/internal/auth"
	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/telemetry"
)

// gatewayKey is a gateway's token, which is renewed while the gateway is connected. In a file it is read anew at each
// connection, so that somebody may exchange it, and renewed there, so that it outlives the process.
type gatewayKey struct {
	file string // empty: the token came from a setting
	log  *slog.Logger

	mu   sync.Mutex
	text string
}

// newGatewayKey reads the file, if one is named.
func newGatewayKey(text, file string) (*gatewayKey, error) {
	k := &gatewayKey{file: file, text: text, log: slog.New(slog.DiscardHandler)}
	if file == "" {
		return k, nil
	}
	read, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("setting config.service.auth.keyFile: %w", err)
	}
	k.text = strings.TrimSpace(string(read))
	return k, nil
}

// token returns the newest token.
func (k *gatewayKey) token(context.Context) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.file != "" {
		read, err := os.ReadFile(k.file)
		if text := strings.TrimSpace(string(read)); err == nil && text != k.text {
			if _, err := auth.ParseGatewayToken(text); err == nil {
				k.text = text
			}
		}
	}
	return k.text, nil
}

// renewed keeps a new token.
func (k *gatewayKey) renewed(text string, expiry time.Time) {
	k.mu.Lock()
	k.text = "GatewayKey " + text
	k.mu.Unlock()
	k.log.Info("The gateway token was renewed.", telemetry.EventKey, "TokenRenewed", "expiry", expiry)
	if k.file == "" {
		return
	}
	if err := writeSecret(k.file, "GatewayKey "+text+"\n"); err != nil {
		k.log.Warn("The renewed gateway token cannot be kept in its file; this process goes on with it.", telemetry.EventKey, "TokenNotKept", "error", err)
	}
}

// writeSecret puts a file in the place of another one, or leaves that as it is. Only its owner can read it.
func writeSecret(name, text string) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".token-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// backupKey reads the key that encrypts the disk copy and bundles: a file or env:NAME with the base64 of 32 bytes. It is nil for
// "".
func backupKey(source string) ([]byte, error) {
	if source == "" {
		return nil, nil
	}
	var text string
	if name, ok := strings.CutPrefix(source, "env:"); ok {
		text = os.Getenv(name)
	} else {
		read, err := os.ReadFile(source)
		if err != nil {
			return nil, fmt.Errorf("setting config.backup.key: %w", err)
		}
		text = string(read)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != configsync.KeySize {
		return nil, usageError("setting config.backup.key: %s must hold the base64 of %d bytes, as 'openssl rand -base64 32' makes it", source, configsync.KeySize)
	}
	return key, nil
}
