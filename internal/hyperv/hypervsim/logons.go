package hypervsim

import (
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/winrmsim"
)

// TLSSort says what TLS a host serves, or what goes wrong with it.
type TLSSort = winrmsim.TLSSort

// What a host with TLS can be.
const (
	TLSUsual          = winrmsim.TLSUsual
	TLSWithRSA        = winrmsim.TLSWithRSA
	TLSWithEd25519    = winrmsim.TLSWithEd25519
	TLSOtherName      = winrmsim.TLSOtherName
	TLSOtherAuthority = winrmsim.TLSOtherAuthority
	TLSExpired        = winrmsim.TLSExpired
	TLSNegativeSerial = winrmsim.TLSNegativeSerial
	TLSShortKey       = winrmsim.TLSShortKey
	TLSOld            = winrmsim.TLSOld
	TLSNone           = winrmsim.TLSNone
	TLSReset          = winrmsim.TLSReset
	TLSClosed         = winrmsim.TLSClosed
	TLSSilent         = winrmsim.TLSSilent
)

// Accounts judges passwords and locks accounts: a domain that several hosts are
// members of, or what a host has of its own.
type Accounts = winrmsim.Accounts

// NewAccounts makes an account database without accounts.
func NewAccounts() *Accounts { return winrmsim.NewAccounts() }

// WithAccounts makes a database judge the passwords of the host's users, in place
// of one of the host's own. Users that it has already keep their passwords.
func WithAccounts(d *Accounts) Option {
	return optionFunc(func(o *options) { o.wire.Accounts = d })
}

// WithTLSSort serves TLS of that sort; with WithTLS.
func WithTLSSort(sort TLSSort) Option {
	return optionFunc(func(o *options) { o.wire.TLSSort = sort })
}
