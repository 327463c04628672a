package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hostenv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
)

// settings is what flags and environment say.
type settings struct {
	options conformance.Options
	out     string
	timeout time.Duration
	verbose bool

	compare, replay bool
	files           []string // to compare or to replay
	source          string
}

func (s settings) level() slog.Level {
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
		{"auth", "ntlm (default), kerberos, basic or certificate"},
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
	flags.Func("only", "ask about these claims only: `IDs` with commas between", func(text string) error {
		for id := range strings.SplitSeq(text, ",") {
			if !slices.Contains(conformance.Checked(), id) {
				return fmt.Errorf("%q is no claim that can be asked about", id)
			}
			s.options.Only = append(s.options.Only, id)
		}
		return nil
	})
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
	r := reader{env: env, given: given}
	s.options.Config, s.options.Host = r.config(), r.text("host")
	if s.options.Host == "" {
		r.fail(errors.New("no host: set HYPERV_HOST or -host"))
	}
	s.options.Fixtures = r.fixtures(*fixtures)
	if s.options.Write != (s.options.Scratch != "") {
		r.fail(errors.New("-write and -scratch go together"))
	}
	return s, errors.Join(r.errs...)
}

// checkFiles refuses modes that do not go together, or have nothing to read.
func (s settings) checkFiles() error {
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

// reader reads attributes of the provider from flags and environment.
type reader struct {
	env   hostenv.Lookup
	given map[string]*string
	errs  []error
}

func (r *reader) fail(err error) { r.errs = append(r.errs, err) }

func (r *reader) text(attribute string, except ...string) string {
	if flag := r.given[attribute]; flag != nil && *flag != "" {
		return *flag
	}
	value, _ := hostenv.Read(r.env, attribute, except...)
	return value
}

func (r *reader) flag(attribute string, otherwise bool) bool {
	text := r.text(attribute)
	if text == "" {
		return otherwise
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		r.fail(fmt.Errorf("%s is neither true nor false", attribute))
	}
	return b
}

func (r *reader) file(attribute string) []byte {
	name := r.text(attribute)
	if name == "" {
		return nil
	}
	content, err := os.ReadFile(name) //nolint:gosec // G304: the user names the file
	if err != nil {
		r.fail(fmt.Errorf("%s: %w", attribute, err))
	}
	return content
}

func (r *reader) fixtures(name string) *conformance.Fixtures {
	if name == "" {
		return nil
	}
	f, err := conformance.ReadFixtures(name)
	if err != nil {
		r.fail(err)
	}
	return f
}

func rightsList() string {
	var all []string
	for _, r := range conformance.AllRights() {
		all = append(all, string(r))
	}
	return strings.Join(all, ", ")
}

func (r *reader) auth() hyperv.Auth {
	text := r.text("auth", hostenv.UseNTLM)
	if text == "" {
		use := r.text("auth")
		if b, err := strconv.ParseBool(use); use != "" && err == nil && !b {
			return hyperv.AuthBasic
		}
		return hyperv.AuthNTLM
	}
	auth := hyperv.Auth(text)
	if !slices.Contains(hyperv.Auths(), auth) {
		r.fail(fmt.Errorf("auth is %q, not ntlm, kerberos, basic or certificate", text))
	}
	return auth
}

func (r *reader) config() hyperv.Config {
	cfg := hyperv.Config{
		HTTPS: r.flag("https", true), Insecure: r.flag("insecure", false), Auth: r.auth(),
		Username: r.text("username"), Password: r.text("password"), TLSServerName: r.text("tls_server_name"),
		CACertificate: r.file("cacert_path"), ClientCertificate: r.file("cert_path"), ClientKey: r.file("key_path"),
		LookupEnv: r.env,
	}
	var err error
	if text := r.text("port"); text != "" {
		if cfg.Port, err = strconv.Atoi(text); err != nil || cfg.Port < 1 || cfg.Port > 65535 {
			r.fail(fmt.Errorf("port %q is none", text))
		}
	}
	if text := r.text("timeout"); text != "" {
		if cfg.RequestTimeout, err = time.ParseDuration(text); err != nil || cfg.RequestTimeout <= 0 {
			r.fail(fmt.Errorf("timeout %q is no duration", text))
		}
	}
	if cfg.Auth == hyperv.AuthKerberos {
		cfg.Kerberos = r.kerberos(cfg.Password)
	}
	return cfg
}

func (r *reader) kerberos(password string) hyperv.KerberosConfig {
	cfg := hyperv.KerberosConfig{
		Realm: r.text("kerberos.realm"), SPN: r.text("kerberos.spn"),
		ConfigPath: r.text("kerberos.krb5_conf_path"), KeytabPath: r.text("kerberos.keytab_path"),
	}
	var except []string
	if password != "" || cfg.KeytabPath != "" {
		except = append(except, hostenv.CCName)
	}
	cfg.CCachePath = strings.TrimPrefix(r.text("kerberos.ccache_path", except...), "FILE:")
	return cfg
}
