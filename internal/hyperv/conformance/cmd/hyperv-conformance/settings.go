package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hostenv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/target"
)

// settings holds the values of flags and environment.
type settings struct {
	options conformance.Options
	out     string
	timeout time.Duration
	verbose bool

	compare, replay bool
	files           []string // to compare or to replay
	source          string
}

func (s *settings) level() slog.Level {
	if s.verbose {
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// parse reads the flags, which win over the environment. There is no flag for
// the password: other users of the machine can read flags.
func parse(args []string, env hostenv.Lookup, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("hyperv-conformance", flag.ContinueOnError)
	flags.SetOutput(stderr)
	given := map[string]*string{}
	for _, a := range [][2]string{
		{"host", "name or address of the host"},
		{"port", "port of WinRM"},
		{"username", `user: DOMAIN\user, user@REALM or user`},
		{"https", "true (default) or false"},
		{"insecure", "true: do not verify the certificate"},
		{"auth", "ntlm (default), kerberos, windows (the current user), basic or certificate"},
		{"cacert_path", "PEM file of the authority"},
		{"cert_path", "PEM file of the client certificate"},
		{"key_path", "PEM file of its key"},
		{"tls_server_name", "name on the certificate"},
	} {
		given[a[0]] = flags.String(strings.ReplaceAll(a[0], "_", "-"), "", a[1]+" ("+strings.Join(hostenv.Variables(a[0]), ", ")+")")
	}
	flags.StringVar(&s.options.Disk, "disk", "", `virtual hard disk on the host that is inspected, for example 'D:\VMs\a.vhdx'`)
	flags.BoolVar(&s.options.Write, "write", false, "create, compact and remove small disks in the directory of -scratch")
	flags.StringVar(&s.options.Scratch, "scratch", "", `existing directory on a drive of the host, for example 'D:\scratch'`)
	fixtures := flags.String("fixtures", "", "`file` that describes what was put on a host for the kit alone: there logons may fail, time does not matter, and machines are looked at")
	flags.Func("rights", "what an account that is no administrator was given: "+rightsList(), func(text string) error {
		s.options.Rights = conformance.Rights(text)
		if !slices.Contains(conformance.AllRights(), s.options.Rights) {
			return errors.New("not " + rightsList())
		}
		return nil
	})
	flags.Func("only", "ask about these claims only: `IDs` with commas between", addClaims(&s.options.Only))
	flags.Func("without", "leave these claims out: `IDs` with commas between", addClaims(&s.options.Without))
	flags.StringVar(&s.out, "out", "hyperv-conformance-report", "directory to write report and recordings to")
	flags.DurationVar(&s.timeout, "timeout", 15*time.Minute, "end the run after this time; what was made is removed then")
	flags.BoolVar(&s.verbose, "verbose", false, "tell what is done")
	flags.BoolVar(&s.compare, "compare", false, "tell what the `report.json` files that are named mean for the claims and the code; asks no host")
	flags.BoolVar(&s.replay, "replay", false, "send the requests of the `recordings.json` that is named to the simulated host and compare the answers; asks no other host")
	flags.StringVar(&s.source, "source", ".", "root of the source tree in which -compare looks for marks")
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	if s.compare || s.replay {
		s.files = flags.Args()
		return s, s.checkFiles()
	}
	if flags.NArg() > 0 {
		return settings{}, fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	return s, s.complete(env, given, *fixtures)
}

// complete reads the files that flags name, and the environment.
func (s *settings) complete(env hostenv.Lookup, given map[string]*string, fixtures string) error {
	var errs []error
	fail := func(err error) { errs = append(errs, err) }
	flags := map[string]string{}
	for attribute, value := range given {
		flags[attribute] = *value
	}
	var err error
	if s.options.Host, s.options.Config, err = target.Read(env, flags); err != nil {
		fail(err)
	}
	if s.options.Host == "" {
		fail(errors.New("no host: set HYPERV_HOST or -host"))
	}
	if fixtures != "" {
		if s.options.Fixtures, err = conformance.ReadFixtures(fixtures); err != nil {
			fail(err)
		}
	}
	if s.options.Write != (s.options.Scratch != "") {
		fail(errors.New("-write and -scratch go together"))
	}
	return errors.Join(errs...)
}

// checkFiles refuses modes that do not go together, or have nothing to read.
func (s *settings) checkFiles() error {
	switch {
	case s.compare && s.replay:
		return errors.New("-compare and -replay are two runs")
	case len(s.files) == 0:
		return errors.New("no file: name what an earlier run wrote")
	case s.replay && len(s.files) > 1:
		return errors.New("-replay takes one file")
	}
	return nil
}

// addClaims reads a list of claims that the kit asks about.
func addClaims(to *[]string) func(string) error {
	return func(text string) error {
		for id := range strings.SplitSeq(text, ",") {
			if !slices.Contains(conformance.Checked(), id) {
				return fmt.Errorf("%q is no claim that can be asked about", id)
			}
			*to = append(*to, id)
		}
		return nil
	}
}

func rightsList() string {
	var all []string
	for _, r := range conformance.AllRights() {
		all = append(all, string(r))
	}
	return strings.Join(all, ", ")
}
