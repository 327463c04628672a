package process

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/windows"
)

var freeConsole = windows.NewLazySystemDLL("kernel32.dll").NewProc("FreeConsole")

// ignoreSignals gives up the console, which go-plugin lets this process share with Terraform.
// Without a console, neither a closed window, nor Ctrl-Break, nor a runner that has lost its
// patience reaches this process; they reach Terraform. Its handles are pipes and stay. A process
// that writes to a console was started by hand, by a user who wants to read that, and keeps it.
//
// An event that reaches it nevertheless, such as the end of a session, ends it; but because the
// signal has a listener, Windows waits for some seconds first. [signal.Ignore] would not, and
// SIGHUP and SIGPIPE do not exist.
func ignoreSignals() {
	var mode uint32
	if windows.GetConsoleMode(windows.Handle(os.Stdout.Fd()), &mode) != nil {
		_, _, _ = freeConsole.Call() // fails without a console
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM)
}

// parentGone waits for the end of the parent.
func parentGone() bool {
	ours, err := birth(windows.CurrentProcess())
	number := os.Getppid()
	return err == nil && number > 0 && endOf(uint32(number), ours) //nolint:gosec // a process number
}

// endOf waits for the end of the process with the given number, which must have begun before the
// given moment, and reports false where it cannot find out. A process keeps the number of its
// parent and Windows gives numbers out again, so the process that has the number now may be another
// one: then it is younger than we are. A parent looks younger, too, when the clock was set back
// after it began. So a younger process proves nothing, and nothing ends because of it. While the
// handle is open the number cannot be given out again.
func endOf(number uint32, before int64) bool {
	process, err := windows.OpenProcess(windows.SYNCHRONIZE|windows.PROCESS_QUERY_LIMITED_INFORMATION, false, number)
	if err != nil {
		// The number is of no process. With other errors there is one, but it cannot be opened.
		return errors.Is(err, windows.ERROR_INVALID_PARAMETER)
	}
	defer func() { _ = windows.CloseHandle(process) }()
	if born, err := birth(process); err != nil || born > before {
		return false
	}
	event, err := windows.WaitForSingleObject(process, windows.INFINITE)
	return err == nil && event == windows.WAIT_OBJECT_0
}

// birth returns when a process was created, in nanoseconds.
func birth(process windows.Handle) (int64, error) {
	var made, ended, kernel, user windows.Filetime
	err := windows.GetProcessTimes(process, &made, &ended, &kernel, &user)
	return made.Nanoseconds(), err
}
