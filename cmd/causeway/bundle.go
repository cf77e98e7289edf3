package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/snapshot"
)

// bundleTimeout is how long a bundle's configuration may take to come.
const bundleTimeout = 2 * time.Minute

func bundleCommand(f *gatewayFlags) *cobra.Command {
	var signKey, out string
	cmd := &cobra.Command{
		Use:   "bundle",
		Short: "Write a gateway's configuration to a signed file, for gateways without a plane",
		Long: `Write the configuration of a gateway to one signed file, which gateways serve
from with the settings config.bundle and config.bundle.publicKey: without a
connection, a token or a plane. Another bundle in the place of the first is
served within seconds.

The command connects as the gateway does, with its settings. A bundle holds the
secrets of the configuration: with config.backup.key it is encrypted.`,
		Example: `  causeway gateway bundle keys --sign-key bundle.key
  causeway gateway bundle --settings env.conf --sign-key bundle.key --out edge.bundle
  config.bundle=edge.bundle config.bundle.publicKey=bundle.key.pub causeway gateway`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sign, err := readSignKey(signKey)
			if err != nil {
				return err
			}
			s, err := loadSettings(f.settings, os.Environ())
			if err != nil {
				return err
			}
			return makeBundle(cmd, s, sign, out)
		},
	}
	cmd.PersistentFlags().StringVar(&signKey, "sign-key", "", "file of the private key that signs bundles, PEM")
	cmd.Flags().StringVarP(&out, "out", "O", "gateway.bundle", "file to write")
	cmd.AddCommand(&cobra.Command{
		Use:     "keys",
		Short:   "Make a key that signs bundles, and the public key that gateways check them with",
		Example: "  causeway gateway bundle keys --sign-key bundle.key",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return makeSignKey(cmd, signKey) },
	})
	return cmd
}

// makeBundle waits for the configuration and writes it.
func makeBundle(cmd *cobra.Command, s *settings, sign ed25519.PrivateKey, out string) error {
	credential, err := gatewayToken(s)
	if err != nil {
		return err
	}
	key, err := backupKey(s.text("config.backup.key"))
	if err != nil {
		return err
	}
	secured, err := readPlaneTLS(s)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), bundleTimeout)
	defer cancel()
	got, reason := make(chan *snapshot.Snapshot, 1), ""
	client := &configsync.Client{
		Endpoint: s.text("config.service.endpoint"), Gateway: cmpOr(credential.gateway, s.text("gateway.name")), Instance: newInstanceID() + "-bundle",
		Version: version, Token: credential.token, TLS: secured.config,
		Apply: func(_ context.Context, _, to *snapshot.Snapshot, _ snapshot.Delta) error {
			select {
			case got <- to:
			default:
			}
			return nil
		},
		Status: func(st configsync.Status) { reason = st.Reason },
	}
	ran := make(chan error, 1)
	run, stop := context.WithCancel(ctx)
	go func() { ran <- client.Run(run) }()
	var configuration *snapshot.Snapshot
	select {
	case configuration = <-got:
	case <-ctx.Done():
	case err := <-ran:
		stop()
		return wrapNonNil("setting config.service.endpoint", err)
	}
	stop()
	if err := <-ran; err != nil {
		return err
	}
	if configuration == nil {
		return &exitError{exitTimeout, fmt.Errorf("no configuration came within %s: %s", bundleTimeout, cmpOr(reason, "the management plane did not answer"))}
	}
	f, err := os.OpenFile(out+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	err = configsync.WriteBundle(f, configuration, configsync.BundleInfo{Gateway: client.Gateway, Created: time.Now().UTC()}, sign, key)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), out)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the bundle: %w", err), os.Remove(f.Name()))
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: gateway %s, sequence %d\n", out, client.Gateway, configuration.Sequence())
	return nil
}

// makeSignKey writes a private key and, beside it, the public one.
func makeSignKey(cmd *cobra.Command, name string) error {
	if name == "" {
		return usageError("--sign-key is required: the file to write the private key to")
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	open, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // never in the place of a key that is in use
	if err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	if err := errors.Join(pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: secret}), f.Close()); err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	if err := os.WriteFile(name+".pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}), 0o644); err != nil {
		return fmt.Errorf("write the public key: %w", err)
	}
	fmt.Fprintln(cmd.OutOrStdout(), "written:", name, "and", name+".pub")
	return nil
}

func readSignKey(name string) (ed25519.PrivateKey, error) {
	if name == "" {
		return nil, usageError("--sign-key is required; 'causeway gateway bundle keys --sign-key FILE' makes one")
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	if block, _ := pem.Decode(text); block != nil {
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if private, ok := key.(ed25519.PrivateKey); ok {
				return private, nil
			}
		}
	}
	return nil, usageError("%s is not an Ed25519 key in PEM; 'causeway gateway bundle keys' makes one", name)
}

// bundleKey reads the public key that bundles are checked with.
func bundleKey(name string) (ed25519.PublicKey, error) {
	if name == "" {
		return nil, usageError("setting config.bundle.publicKey is required with config.bundle: the file of the public key that the bundle is checked with")
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("setting config.bundle.publicKey: %w", err)
	}
	if block, _ := pem.Decode(text); block != nil {
		if key, err := x509.ParsePKIXPublicKey(block.Bytes); err == nil {
			if public, ok := key.(ed25519.PublicKey); ok {
				return public, nil
			}
		}
	}
	return nil, usageError("setting config.bundle.publicKey: %s is not an Ed25519 public key in PEM", name)
}
