package store

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	keyBytes        = 32
	maxKeyTextBytes = 4096
	keyCommandLimit = 10 * time.Second
)

// Keyring holds the master key, which wraps the data key that encrypts a store's secrets, and the master keys before
// it. A store whose data key is wrapped by an earlier one is wrapped anew by [Open]: so a master key is rotated.
// It never prints its keys.
type Keyring struct {
	master   [keyBytes]byte
	previous [][keyBytes]byte
}

// NewKeyring returns a keyring of a master key of 32 random bytes.
func NewKeyring(master [32]byte, previous ...[32]byte) *Keyring {
	return &Keyring{master: master, previous: previous}
}

// LoadKeyring reads the master key from the place that source names, and earlier ones from previous:
//
//   - env:NAME: an environment variable
//   - cmd:COMMAND: what a shell command prints within ten seconds, for key vaults
//   - anything else: the path of a file
//
// A key is 32 bytes: raw, or as 64 hexadecimal digits, or in base64 (standard or URL alphabet).
// Errors name the source and never hold anything read from it.
func LoadKeyring(ctx context.Context, source string, previous ...string) (*Keyring, error) {
	k := new(Keyring)
	var err error
	if k.master, err = loadKey(ctx, source); err != nil {
		return nil, err
	}
	for _, p := range previous {
		key, err := loadKey(ctx, p)
		if err != nil {
			return nil, err
		}
		k.previous = append(k.previous, key)
	}
	return k, nil
}

// LoadOrCreateKeyFile returns the keyring of a key file, which it makes with a random key and mode 0600 when there is
// none.
func LoadOrCreateKeyFile(ctx context.Context, path string) (*Keyring, error) {
	if err := createKeyFile(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("master key: create %s: %w", path, pathCause(err))
	}
	return LoadKeyring(ctx, path)
}

// String implements fmt.Stringer, so that a keyring can be printed by mistake.
func (k *Keyring) String() string { return "Keyring(hidden)" }

// GoString implements fmt.GoStringer.
func (k *Keyring) GoString() string { return k.String() }

// createKeyFile writes a new key under a temporary name and links it to path, so that neither a crash nor a second
// process leaves half a key.
func createKeyFile(path string) error {
	if _, err := os.Stat(path); err == nil {
		return fs.ErrExist
	}
	var key [keyBytes]byte
	_, _ = rand.Read(key[:])                                       // never fails
	tmp, err := os.CreateTemp(filepath.Dir(path), ".master-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = io.WriteString(tmp, base64.StdEncoding.EncodeToString(key[:])+"\n")
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err = os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return os.Rename(tmp.Name(), path) // a file system without links
	}
	return err
}

func loadKey(ctx context.Context, source string) ([keyBytes]byte, error) {
	var raw []byte
	var err error
	switch kind, arg, _ := strings.Cut(source, ":"); kind {
	case "env":
		value, ok := os.LookupEnv(arg)
		if !ok || value == "" {
			err = errors.New("not set")
		}
		raw = []byte(value)
	case "cmd":
		raw, err = runKeyCommand(ctx, arg)
		source = "cmd: …" // the command line may hold a token
	default:
		raw, err = readKeyFile(source)
	}
	if err != nil {
		return [keyBytes]byte{}, fmt.Errorf("master key: %s: %w", source, err)
	}
	key, ok := decodeKey(raw)
	if !ok {
		return key, fmt.Errorf("master key: %s: want 32 bytes, raw, as 64 hexadecimal digits or in base64", source)
	}
	return key, nil
}

func readKeyFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, pathCause(err)
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxKeyTextBytes))
	return raw, pathCause(err)
}

// runKeyCommand leaves the command's error output out of its errors: it may hold the key.
func runKeyCommand(ctx context.Context, command string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, keyCommandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.WaitDelay = time.Second // a grandchild may keep the pipe open
	out := limitedBuffer{left: maxKeyTextBytes}
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("no answer within %v", keyCommandLimit)
		}
		return nil, err
	}
	return out.data, nil
}

// limitedBuffer keeps the first bytes written to it and drops the rest.
type limitedBuffer struct {
	data []byte
	left int
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.data, b.left = append(b.data, p[:n]...), b.left-n
	return len(p), nil
}

func decodeKey(raw []byte) (key [keyBytes]byte, ok bool) {
	if len(raw) == keyBytes {
		return [keyBytes]byte(raw), true
	}
	text := strings.TrimSpace(string(raw))
	if len(text) == hex.EncodedLen(keyBytes) {
		if b, err := hex.DecodeString(text); err == nil {
			return [keyBytes]byte(b), true
		}
	}
	text = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
	b, err := base64.RawStdEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != keyBytes {
		return key, false
	}
	return [keyBytes]byte(b), true
}

// pathCause strips the operation and path from an error of package os, for messages that name the path already.
func pathCause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
