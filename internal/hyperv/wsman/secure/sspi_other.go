//go:build !windows

package secure

// NewCurrentUser fails with [ErrNotWindows].
func NewCurrentUser(string) (Mechanism, error) { return nil, ErrNotWindows }

// CurrentUserName is empty.
func CurrentUserName() string { return "" }
