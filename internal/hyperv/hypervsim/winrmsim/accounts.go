package winrmsim

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// LockoutThreshold is the number of failed logons in a row after which an
// account is locked for good. Five is what many domains have.
const LockoutThreshold = 5

// Accounts is an account database, which judges passwords: that of a domain with several servers as
// members, or that of a single server. It counts failed logons, and locks accounts. It is safe for
// concurrent use.
type Accounts struct {
	mu       sync.Mutex
	accounts map[string]*entry
	away     bool
}

type entry struct {
	password    string
	failed, row int
}

// NewAccounts makes an account database without accounts.
func NewAccounts() *Accounts { return &Accounts{accounts: map[string]*entry{}} }

// key identifies an account, without regard to letter case.
func (a Account) key() string { return upper(a.Domain) + `\` + upper(a.Name) }

// SetPassword gives an account, DOMAIN\name, a password, and makes it if it is not
// there.
func (d *Accounts) SetPassword(user, password string) {
	domain, name, found := strings.Cut(user, `\`)
	if !found {
		domain, name = "", user
	}
	d.set(Account{Domain: domain, Name: name, Password: password}, true)
}

func (d *Accounts) set(a Account, change bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch e := d.accounts[a.key()]; {
	case e == nil:
		d.accounts[a.key()] = &entry{password: a.Password}
	case change:
		e.password = a.Password
	}
}

// password returns the password of an account.
func (d *Accounts) password(a Account) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.accounts[a.key()]; e != nil {
		return e.password
	}
	return a.Password
}

// SetAway takes the database out of reach: servers then reject every logon, and
// nothing is counted here.
func (d *Accounts) SetAway(away bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.away = away
}

// judge counts a logon and says whether it is let in.
func (d *Accounts) judge(a Account, right bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.accounts[a.key()]
	switch {
	case d.away, e == nil:
		return false
	case e.row >= LockoutThreshold: // also with the right password
		return false
	case right:
		e.row = 0
		return true
	}
	e.failed++
	e.row++
	return false
}

// FailedLogons counts the wrong passwords of all accounts.
func (d *Accounts) FailedLogons() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, e := range d.accounts {
		n += e.failed
	}
	return n
}

// TakeLocked lists the accounts that are locked, and unlocks them.
func (d *Accounts) TakeLocked() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var locked []string
	for name, e := range d.accounts {
		if e.row >= LockoutThreshold {
			locked = append(locked, fmt.Sprintf("%s after %d failed logons", strings.TrimPrefix(name, `\`), e.failed))
			e.row = 0
		}
	}
	slices.Sort(locked)
	return locked
}

// Accounts returns the database that judges the passwords of the server's users.
func (s *Server) Accounts() *Accounts { return s.config.Accounts }
