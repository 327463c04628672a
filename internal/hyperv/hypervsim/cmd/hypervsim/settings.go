package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// settings holds the values of the flags.
type settings struct {
	options       []hypervsim.Option
	user          string
	control       string
	tls           bool
	authorityFile string
	verbose       bool
}

var releases = map[string]hypervsim.Release{
	"2008": hypervsim.Server2008, "2012": hypervsim.Server2012, "2012r2": hypervsim.Server2012R2,
	"2016": hypervsim.Server2016, "2022": hypervsim.Server2022,
}

// parse reads the flags.
func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("hypervsim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:0", "loopback `address` to serve WinRM on")
	release := flags.String("release", "2022", "`release` of Windows Server: 2008, 2012, 2012r2, 2016 or 2022")
	locale := flags.String("locale", "en-US", "`language` of the host: en-US or ja-JP")
	flags.StringVar(&s.user, "user", hypervsim.DefaultUser, `user who may log on, DOMAIN\name; the password is in `+passwordVariable)
	flags.StringVar(&s.control, "control", "", "loopback `address` of the control endpoint; none by default")
	flags.BoolVar(&s.tls, "tls", false, "serve https with a certificate of an own authority")
	flags.StringVar(&s.authorityFile, "authority", "", "`file` to write the certificate of that authority to")
	flags.BoolVar(&s.verbose, "verbose", false, "log every request")
	flags.Func("folder", `'D:\VMs=/some/folder' shows the disks in a real folder; can be repeated`, func(value string) error {
		path, folder, ok := strings.Cut(value, "=")
		if !ok {
			return errors.New(`it takes the form D:\VMs=/some/folder`)
		}
		s.options = append(s.options, hypervsim.WithFolder(path, folder))
		return nil
	})
	flags.Func("directory", `'D:\scratch' puts an empty directory on the host, in which clients can create disks of numbers; can be repeated`, func(value string) error {
		s.options = append(s.options, hypervsim.WithDirectory(value))
		return nil
	})
	flags.Func("vm", `'name=D:\VMs\a.vhdx,D:\VMs\b.vhdx' puts a virtual machine on the host; can be repeated`, func(value string) error {
		name, disks, ok := strings.Cut(value, "=")
		if !ok || name == "" {
			return errors.New(`it takes the form name=D:\VMs\a.vhdx`)
		}
		s.options = append(s.options, hypervsim.WithVM(hypervsim.VM{Name: name, Disks: strings.Split(disks, ",")}))
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	if flags.NArg() > 0 {
		return settings{}, fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	if err := s.complete(*listen, *release, *locale); err != nil {
		return settings{}, err
	}
	return s, nil
}

// complete checks the flags that still have to be turned into options of the host.
func (s *settings) complete(listen, release, locale string) error {
	for _, address := range []string{listen, s.control} {
		if address != "" && !isLoopback(address) {
			return fmt.Errorf("%s: only the loopback interface is served", address)
		}
	}
	r, ok := releases[release]
	if !ok {
		return fmt.Errorf("unknown release %q", release)
	}
	if s.authorityFile != "" && !s.tls {
		return errors.New("-authority needs -tls")
	}
	s.options = slices.Concat(
		[]hypervsim.Option{hypervsim.WithAddress(listen), hypervsim.WithRelease(r), hypervsim.WithLocale(locale)},
		s.options,
	)
	if s.tls {
		s.options = append(s.options, hypervsim.WithTLS())
	}
	return nil
}

// isLoopback accepts literal addresses only, because a name can come to mean another address.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
