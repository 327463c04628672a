//go:build wine

package secure

import (
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Under Wine no user is logged on, and contexts report no attributes. So a build with the tag wine,
// which only tests make, logs on with the account that the environment names.
func init() { //nolint:gochecknoinits // nothing else sets it
	if p := os.Getenv("HYPERV_WINE_PACKAGE"); p != "" {
		securityPackage = p
	}
	id := &secIdentity{flags: identityUnicode}
	id.domain, id.domainLength = units("HYPERV_WINE_DOMAIN")
	id.user, id.userLength = units("HYPERV_WINE_USER")
	id.password, id.passwordLength = units("HYPERV_WINE_PASSWORD")
	identity, neededAttributes = id, 0
}

func units(name string) (text *uint16, length uint32) {
	u, err := windows.UTF16FromString(os.Getenv(name))
	if err != nil {
		panic(err)
	}
	return unsafe.SliceData(u), uint32(len(u) - 1) //nolint:gosec // a name
}

// LiveHandles counts the handles that LSA keeps for this process.
func LiveHandles() int64 { return liveHandles.Load() }
