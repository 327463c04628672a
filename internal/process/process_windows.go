package process

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/windows"
)

var freeConsole = windows.NewLazySystemDLL("kernel32.dll").NewProc("FreeConsole")

// ignoreSignals gives the console up, which go-plugin lets this process share with
// Terraform: without one no closed window, no Ctrl-Break and no end of a runner's
// patience reaches it, as they reach Terraform. Its handles are pipes and stay. Where
// it writes to a console, somebody has started it by hand and wants to read that.
//
// Whatever reaches it nevertheless, as the end of a session does, ends it: a signal
// that somebody is notified of makes Windows wait for some seconds first.
// [signal.Ignore] would not, and SIGHUP and SIGPIPE do not exist.
func ignoreSignals() {
	var mode uint32
	if windows.GetConsoleMode(windows.Handle(os.Stdout.Fd()), &mode) != nil {
		_, _, _ = freeConsole.Call() // fails without a console
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM)
}

// parentGone waits for the end of the parent. A process keeps the number of its parent
// and Windows gives numbers out again, so the one that has it now may be another: then
// it is younger than we are.
func parentGone() bool {
	number := os.Getppid()
	if number <= 0 {
		return false
	}
	parent, err := windows.OpenProcess(windows.SYNCHRONIZE|windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(number)) //nolint:gosec // a process number
	if err != nil {
		return errors.Is(err, windows.ERROR_INVALID_PARAMETER) // there is no such process; others may not be looked at
	}
	defer func() { _ = windows.CloseHandle(parent) }()
	born, err := birth(parent)
	if err != nil {
		return false
	}
	ours, err := birth(windows.CurrentProcess())
	if err != nil {
		return false
	}
	if born > ours {
		return true
	}
	event, err := windows.WaitForSingleObject(parent, windows.INFINITE)
	return err == nil && event == windows.WAIT_OBJECT_0
}

// birth is when a process was made, in nanoseconds.
func birth(process windows.Handle) (int64, error) {
	var made, ended, kernel, user windows.Filetime
	err := windows.GetProcessTimes(process, &made, &ended, &kernel, &user)
	return made.Nanoseconds(), err
}
