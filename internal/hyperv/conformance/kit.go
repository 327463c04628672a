package conformance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

const (
	// checkTimeout bounds one check: a host that never answers must not stop the
	// others from being made.
	checkTimeout = 3 * time.Minute
	// maxInstances is more than a host has of anything that is asked for.
	maxInstances = 20000
)

// Options say which host to ask, and about what.
type Options struct {
	// Config and Host are as for the provider.
	Config hyperv.Config
	Host   string
	// Disk is a virtual hard disk that is only inspected; may be empty.
	Disk string
	// Write allows disks to be created, compacted and removed in Scratch, an
	// existing directory on a drive of the host.
	Write   bool
	Scratch string
	// Rights are those of an account that is not an administrator; empty for an
	// administrator.
	Rights Rights
	// Fixtures describes what was put on the host for the kit; nil when nothing
	// was.
	Fixtures *Fixtures
	// Version is the version of the kit.
	Version string
	// Only restricts the run to these claims; all when empty. Without leaves some out.
	Only, Without []string
	// Progress is called with each finding; may be nil.
	Progress func(Finding)
	// Log gets events other than findings, with names of files; may be nil. It is for the screen,
	// never for the report.
	Log *slog.Logger
}

// kit is one run.
type kit struct {
	options Options
	wire    wsman.Config
	client  *wsman.Client
	tape    *tape
	log     *slog.Logger

	version   string // of Windows, for example 10.0.20348
	namespace string // of the Hyper-V provider that is asked; empty without one
	lab       lab
	subject   string // the disk that is inspected

	identifiers map[string]bool // what names the host, its users and its files
	searched    int             // exchanges that were searched for them
}

// check asks about one claim.
type check struct {
	claim string
	needs need
	run   func(k *kit, ctx context.Context) verdict
}

// need is a set of conditions without which a check cannot be made.
type need int

const (
	needDisk     need = 1 << iota // a disk to inspect
	needWrite                     // permission to create disks
	needHyperV                    // some generation of the provider
	needV2                        // the newer generation
	needSeal                      // sealing without TLS
	needFixtures                  // a host that is there for the kit
	afterRefusal                  // nothing: it is asked after a refused logon too
)

// Run asks the host. The report is valid even with an error: it holds all that
// was found until then. Both name what could not be removed from the host.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	k := &kit{options: o, tape: &tape{}, log: o.Log, subject: o.Disk}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	o.Config.Logger = slog.New(k.tape)
	wire, release, err := hyperv.WireConfig(o.Config, o.Host)
	if err != nil {
		return nil, err
	}
	defer release()
	if k.client, err = wsman.New(wire); err != nil {
		return nil, err
	}
	defer k.client.Close()
	k.wire = wire
	r := &Report{Kit: o.Version, Started: time.Now().UTC(), kit: k}
	r.Host.HTTPS, r.Host.Auth = o.Config.HTTPS, o.Config.Auth
	stopped := k.introduce(ctx, r)
	k.ask(ctx, r, stopped)
	left := k.cleanUp(ctx)
	r.DurationMillis = millis(time.Since(r.Started))
	r.finish(left)
	return r, errors.Join(stopped, left, context.Cause(ctx))
}

// check refuses options that cannot work, before anything is sent.
func (o Options) check() error {
	switch {
	case o.Host == "":
		return errors.New("no host is named")
	case o.Write && o.Scratch == "":
		return errors.New("disks can only be created in a directory that is named")
	case o.Write && (winpath.IsUNC(o.Scratch) || winpath.IsVolumeGUID(o.Scratch) || !isDrivePath(o.Scratch)):
		return errors.New(`the scratch directory must be on a drive of the host, for example D:\scratch: files elsewhere could not be removed`)
	}
	return nil
}

func isDrivePath(path string) bool {
	path = winpath.Normalize(path)
	return len(path) > 3 && path[1] == ':' && path[2] == '\\'
}

// introduce logs on and finds out what kind of host it is. Without a logon
// nothing else is asked: each try would count against the account.
func (k *kit) introduce(ctx context.Context, r *Report) error {
	ctx, stop := context.WithTimeout(ctx, checkTimeout)
	defer stop()
	id, err := k.client.Identify(ctx)
	var (
		auth  *wsman.AuthError
		tls   *wsman.TLSError
		reach *wsman.UnreachableError
	)
	if errors.As(err, &auth) || errors.As(err, &tls) || errors.As(err, &reach) {
		k.log.Error("the host cannot be asked", "error", err)
		return fmt.Errorf("the host cannot be asked: %w", err)
	}
	r.Host.ProductVendor, r.Host.ProductVersion = id.ProductVendor, id.ProductVersion
	for i, err := range k.client.Enumerate(ctx, wsman.Enumeration{ResourceURI: cim.ResourceURI(cim.NamespaceCIMv2, "Win32_OperatingSystem")}) {
		if err != nil {
			k.log.Warn("the version of Windows is not known", "error", err)
			break
		}
		k.version, _ = i.String("Version")
	}
	r.Host.WindowsVersion = k.version
	for _, namespace := range []string{cim.NamespaceVirtualizationV2, cim.NamespaceVirtualizationV1} {
		if _, err := k.client.Get(ctx, service(namespace)); err == nil {
			k.namespace = namespace
			break
		}
	}
	r.Host.Namespace = k.namespace
	return nil
}

// service addresses the image management service of a namespace.
func service(namespace string) cim.Reference {
	return cim.NewReference(namespace, cim.ClassImageManagementService,
		cim.Selector{Name: "CreationClassName", Value: cim.ClassImageManagementService})
}

// isV2 reports whether the newer generation is asked.
func (k *kit) isV2() bool { return k.namespace == cim.NamespaceVirtualizationV2 }

// ask makes every check that can be made, in the order of the claims.
func (k *kit) ask(ctx context.Context, r *Report, stopped error) {
	for _, c := range claims.All() {
		if len(k.options.Only) > 0 && !slices.Contains(k.options.Only, c.ID) || slices.Contains(k.options.Without, c.ID) {
			continue
		}
		first, start := k.tape.len(), time.Now()
		v := k.verdict(ctx, c, stopped)
		f := Finding{
			ID: c.ID, Claim: c.Text, Evidence: c.Evidence, Result: v.result, Seen: k.tidy(v.seen), Why: k.tidy(v.why),
			DurationMillis: millis(time.Since(start)),
		}
		for n := first; n < k.tape.len(); n++ {
			f.Exchanges = append(f.Exchanges, n+1)
		}
		r.Findings = append(r.Findings, f)
		if k.options.Progress != nil {
			k.options.Progress(f)
		}
	}
}

func (k *kit) verdict(ctx context.Context, c claims.Claim, stopped error) verdict {
	if c.Untestable != "" {
		return notTested("not by this kit: %s", c.Untestable)
	}
	if ctx.Err() != nil {
		return notTested("the run was interrupted")
	}
	i := slices.IndexFunc(checks(), func(check check) bool { return check.claim == c.ID })
	if i < 0 {
		return notTested("no check is known")
	}
	check := checks()[i]
	if _, refused := errors.AsType[*wsman.AuthError](stopped); stopped != nil && (!refused || check.needs&afterRefusal == 0) {
		return notTested("%s", summary(stopped))
	}
	return k.run(ctx, check)
}

// run makes one check. No answer of a host may end the run.
func (k *kit) run(ctx context.Context, c check) (v verdict) {
	if missing := k.missing(c.needs); missing != "" {
		return notTested("%s", missing)
	}
	defer func() {
		if p := recover(); p != nil {
			k.log.Error("a check failed", "claim", c.claim, "panic", p)
			v = notTested("a mistake in the kit")
		}
	}()
	checkCtx, stop := context.WithTimeout(ctx, checkTimeout)
	defer stop()
	if c.needs&needDisk != 0 && k.subject == "" {
		d, err := k.disk(checkCtx, k.work())
		if err != nil {
			return trouble(err)
		}
		k.subject = d.path
	}
	v = c.run(k, checkCtx)
	if ctx.Err() != nil && v.result != Held {
		return notTested("the run was interrupted")
	}
	return v
}

// missing says which condition of a check is not met; empty if all are.
func (k *kit) missing(n need) string {
	for _, r := range []struct {
		of     need
		lacks  bool
		reason string
	}{
		{needHyperV | needV2 | needWrite | needDisk, k.namespace == "", "the host serves no generation of the Hyper-V provider to this account"},
		{needV2, !k.isV2(), `only hosts with root\virtualization\v2 can be asked`},
		{needDisk, k.options.Disk == "" && !k.options.Write, "no disk was named"},
		{needWrite, !k.options.Write, "creating disks was not allowed"},
		{needFixtures, k.options.Fixtures == nil, "only asked of a host that was set up for the kit"},
		{needSeal, k.wire.Mechanism == nil || k.wire.Endpoint.HTTPS, "only asked over http with NTLM or Kerberos"},
	} {
		if n&r.of != 0 && r.lacks {
			return r.reason
		}
	}
	return ""
}

// atLeast reports whether the version of Windows is at least the given one.
func (k *kit) atLeast(major, minor, build int) (bool, bool) {
	var a, b, c int
	if _, err := fmt.Sscanf(k.version, "%d.%d.%d", &a, &b, &c); err != nil {
		return false, false
	}
	return slices.Compare([]int{a, b, c}, []int{major, minor, build}) >= 0, true
}

// invoke calls a method and returns its return value.
func (k *kit) invoke(ctx context.Context, target cim.Reference, method string, pairs ...string) (uint64, *cim.Instance, error) {
	var params []wsman.Param
	for i := 0; i+1 < len(pairs); i += 2 {
		params = append(params, wsman.Param{Name: pairs[i], Value: cim.Text(pairs[i+1])})
	}
	out, err := k.client.Invoke(ctx, wsman.Invocation{Target: target, Method: method, Params: params})
	if err != nil {
		return 0, nil, err
	}
	value, ok, err := out.Uint("ReturnValue", 32)
	if err == nil && !ok {
		err = errors.New("no return value")
	}
	if err != nil {
		return 0, nil, &wsman.DecodeError{Err: err}
	}
	return value, out, nil
}

// enumerate reads every instance.
func (k *kit) enumerate(ctx context.Context, e wsman.Enumeration) ([]*cim.Instance, error) {
	var all []*cim.Instance
	for i, err := range k.client.Enumerate(ctx, e) {
		if err != nil {
			return all, err
		}
		if all = append(all, i); len(all) > maxInstances {
			return nil, &wsman.DecodeError{Err: errors.New("an enumeration without end")}
		}
	}
	return all, nil
}

func lower(s string) string { return strings.ToLower(s) }
