package secure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-krb5/krb5/credentials"
	"github.com/go-krb5/krb5/messages"
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

// readCache takes the valid tickets from the ticket cache: for the service, or to get
// one with.
func (k *Kerberos) readCache(spn servicePrincipal) error {
	cache, err := loadTicketCache(k.cachePath)
	if err != nil {
		return err
	}
	home := krbtgt(cache.DefaultPrincipal.Realm)
	var (
		ended time.Time
		weak  error
	)
	for _, c := range cache.GetEntries() {
		forService := c.Server.PrincipalName.Equal(spn.name)
		if !forService && !c.Server.PrincipalName.Equal(home) {
			continue
		}
		t, err := cachedTicket(c)
		switch {
		case err != nil:
			weak = err
		case !t.fresh():
			ended = t.end
		case forService:
			k.tickets[spn.String()] = t
		default:
			k.tgt = t
		}
	}
	if k.tgt.fresh() || k.tickets[spn.String()].fresh() {
		return nil
	}
	if !ended.IsZero() {
		return fmt.Errorf("%w: %s ended at %s", ErrTicketExpired, k.cachePath, ended.UTC().Format(time.RFC3339))
	}
	if weak != nil {
		return fmt.Errorf("ticket cache %s: %w", k.cachePath, weak)
	}
	return fmt.Errorf("%w: %s", ErrTicketExpired, k.cachePath)
}

// cachedTicket reads one entry.
func cachedTicket(c *credentials.Credential) (grantedTicket, error) {
	key, err := newKerberosKey(c.Key)
	if err != nil {
		return grantedTicket{}, err
	}
	var ticket messages.Ticket
	if err := ticket.Unmarshal(c.Ticket); err != nil || len(ticket.SName.NameString) == 0 {
		return grantedTicket{}, fmt.Errorf("%w: ticket", ErrMalformed)
	}
	t := kerberosTicket{ticket: ticket, key: key, realm: c.Client.Realm, name: c.Client.PrincipalName}
	return grantedTicket{t, c.EndTime}, nil
}
