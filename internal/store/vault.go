package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
)

// vault seals and opens secrets with the store's data key: AES-256-GCM with a random nonce. What is sealed is bound to
// its place by associated data, so that a row copied to another document or name does not open.
//
// The data key itself is kept in the database, sealed in the same way with the master key.
type vault struct {
	aead cipher.AEAD // nil in a store that was opened without a master key
	keys *Keyring    // likewise; it wraps the keys of backups
}

// dataKeyID stands in front of everything sealed, so that a later version can have several data keys.
const dataKeyID = 1

var errSealed = errors.New("sealed with another key, or damaged")

func newAEAD(key [keyBytes]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func place(id, name string) []byte { return []byte("causeway secret\x00" + id + "\x00" + name) }

func (v vault) seal(id, name, value string) ([]byte, error) {
	if v.aead == nil {
		return nil, ErrNoKey
	}
	return v.aead.Seal([]byte{dataKeyID}, nil, []byte(value), place(id, name)), nil
}

func (v vault) open(id, name string, sealed []byte) (string, error) {
	if v.aead == nil {
		return "", ErrNoKey
	}
	if len(sealed) == 0 || sealed[0] != dataKeyID {
		return "", errSealed
	}
	value, err := v.aead.Open(nil, nil, sealed[1:], place(id, name))
	if err != nil {
		return "", errSealed
	}
	return string(value), nil
}

// wrapPlace and backupPlace bind wrapped keys to what they are for.
func wrapPlace() []byte { return []byte("causeway data key\x00" + strconv.Itoa(dataKeyID)) }

func backupPlace() []byte { return []byte("causeway backup key\x001") }

// openVault reads the data key, makes one in a new store, and wraps it anew when an earlier master key opened it. No
// other process may do the same at the same time.
func openVault(ctx context.Context, db *sql.DB, d dialect, k *Keyring) (vault, error) {
	if k == nil {
		return vault{}, nil
	}
	var wrapped []byte
	err := db.QueryRowContext(ctx, d.rebind("SELECT wrapped FROM data_keys WHERE id = ?"), dataKeyID).Scan(&wrapped)
	var key [keyBytes]byte
	stale := false
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, _ = rand.Read(key[:]) // never fails
		stale = true
	case err != nil:
		return vault{}, fmt.Errorf("read the data key: %w", err)
	default:
		if key, stale, err = k.unwrap(wrapped, wrapPlace()); err != nil {
			return vault{}, err
		}
	}
	if stale {
		if wrapped, err = k.wrap(key, wrapPlace()); err != nil {
			return vault{}, err
		}
		_, err = db.ExecContext(ctx, d.rebind("INSERT INTO data_keys (id, wrapped) VALUES (?, ?) "+
			"ON CONFLICT (id) DO UPDATE SET wrapped = excluded.wrapped"), dataKeyID, wrapped)
		if err != nil {
			return vault{}, fmt.Errorf("write the data key: %w", err)
		}
	}
	aead, err := newAEAD(key)
	return vault{aead, k}, err
}

func (k *Keyring) wrap(key [keyBytes]byte, place []byte) ([]byte, error) {
	aead, err := newAEAD(k.master)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, key[:], place), nil
}

// unwrap opens a wrapped key. stale says that an earlier master key did.
func (k *Keyring) unwrap(wrapped, place []byte) (key [keyBytes]byte, stale bool, err error) {
	for i, master := range append([][keyBytes]byte{k.master}, k.previous...) {
		aead, err := newAEAD(master)
		if err != nil {
			return key, false, err
		}
		if b, err := aead.Open(nil, nil, wrapped, place); err == nil && len(b) == keyBytes {
			return [keyBytes]byte(b), i > 0, nil
		}
	}
	return key, false, fmt.Errorf("%w: it does not open this data's key", ErrWrongKey)
}
