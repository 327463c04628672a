package hypervsim

import (
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/winrmsim"
)

// TLSSort is the kind of TLS that a host serves, or the way in which it fails.
type TLSSort = winrmsim.TLSSort

// The kinds of TLS that a host can have.
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

// Accounts judges passwords and locks accounts: the database of a domain with
// several hosts as members, or of a single host.
type Accounts = winrmsim.Accounts

// NewAccounts makes an account database without accounts.
func NewAccounts() *Accounts { return winrmsim.NewAccounts() }

// WithAccounts makes a database judge the passwords of the host's users, in place of one that only
// this host has. Users that are already in it keep their passwords.
func WithAccounts(d *Accounts) Option {
	return optionFunc(func(o *options) { o.wire.Accounts = d })
}

// WithTLSSort serves TLS of that sort; it needs WithTLS.
func WithTLSSort(sort TLSSort) Option {
	return optionFunc(func(o *options) { o.wire.TLSSort = sort })
}
