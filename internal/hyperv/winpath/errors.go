package winpath

import (
	"fmt"
	"strings"
)

// Form names the paths that [Check] accepts, for messages.
const Form = `an absolute path of a .vhd or .vhdx file: C:\folder\disk.vhdx, \\server\share\disk.vhdx or \\?\Volume{GUID}\disk.vhdx; / may stand for \`

// DirectoryForm names the paths that [CheckDirectory] accepts, for messages.
const DirectoryForm = `an absolute path of a directory: C:\folder, \\server\share\folder or \\?\Volume{GUID}\folder; / may stand for \`

// Error says why a path is refused and what to do about it.
type Error struct {
	Path string
	// Reason says what is wrong, as a clause: "the path is empty".
	Reason string
	// Fix says what to do instead, as a sentence.
	Fix string
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("path %q: %s; %s%s", e.Path, e.Reason, strings.ToLower(e.Fix[:1]), strings.TrimSuffix(e.Fix[1:], "."))
}
