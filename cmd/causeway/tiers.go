package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/causeway-apim/causeway/internal/configsync"
	"github.com/causeway-apim/causeway/internal/store"
)

// tierRules are Azure's for self-hosted gateways ("Feature-based comparison of the Azure API Management tiers"): the
// Developer tier has one instance of a gateway, the Premium tier any number, and the others have none.
type tierRules struct{ store store.Store }

// admit is the Admit of [configsync.Server].
func (t tierRules) admit(ctx context.Context, id configsync.Identity, others int) error {
	var doc *store.Document
	err := t.store.View(ctx, func(r store.Reader) (err error) {
		doc, err = r.Get(ctx, id.Service)
		return err
	})
	if err != nil {
		return fmt.Errorf("read the service's tier: %w", err)
	}
	var service struct {
		SKU struct {
			Name string `json:"name"`
		} `json:"sku"`
	}
	if err := json.Unmarshal(doc.Body, &service); err != nil {
		return fmt.Errorf("read the service's tier: %w", err)
	}
	switch tier := service.SKU.Name; {
	case strings.EqualFold(tier, "Premium"):
		return nil
	case !strings.EqualFold(tier, "Developer"):
		return fmt.Errorf("the tier %s has no self-hosted gateways; Developer and Premium have (setting enforce-tiers)", tier)
	case others > 0:
		return errors.New("the tier Developer has one instance of a gateway, and one is connected (setting enforce-tiers)")
	}
	return nil
}
