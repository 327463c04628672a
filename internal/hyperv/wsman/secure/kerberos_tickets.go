package secure

import (
	"context"
	"errors"
	"time"
)

// ticketMargin is how long a ticket must still hold to be used for a new context.
const ticketMargin = 2 * time.Minute

// ticketFor is a valid ticket for the service, from memory if there is one.
func (k *Kerberos) ticketFor(ctx context.Context, spn servicePrincipal) (kerberosTicket, error) {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return kerberosTicket{}, context.Cause(ctx)
	}
	if k.rejected != nil {
		return kerberosTicket{}, k.rejected
	}
	if t := k.tickets[spn.String()]; t.fresh() {
		return t.kerberosTicket, nil
	}
	if err := k.ensureTGT(ctx, spn); err != nil {
		return kerberosTicket{}, err
	}
	// The cache just read may have held the service's ticket as well.
	t := k.tickets[spn.String()]
	if !t.fresh() {
		var err error
		if t, err = k.serviceTicket(ctx, k.tgt, spn); err != nil {
			return kerberosTicket{}, err
		}
		k.tickets[spn.String()] = t
	}
	return t.kerberosTicket, nil
}

// ensureTGT gets a ticket-granting ticket unless there is a valid one. Bad
// credentials are tried once: a second try can only help to lock the account.
func (k *Kerberos) ensureTGT(ctx context.Context, spn servicePrincipal) error {
	if k.tgt.fresh() {
		return nil
	}
	if k.secret == nil {
		return k.readCache(spn)
	}
	tgt, err := k.login(ctx, k.secret)
	if err != nil {
		if kdc := (*KDCError)(nil); errors.As(err, &kdc) && kdc.badCredentials() {
			k.rejected = err
		}
		return err
	}
	k.tgt = tgt
	return nil
}
