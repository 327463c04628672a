package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/clientcert"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/rehearsal"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// stage stands in for the machine of the workflow: one host that serves http and one that serves
// https, with the files that a set-up leaves.
type stage struct {
	out          io.Writer
	folder       string
	contradicted []string
	asking       atomic.Bool // hosts contradict claims only while the kit asks them
	hosts        map[string]*hypervsim.Host
	env          []string
}

// takes is the duration of a compaction.
const takes = 2 * time.Second

func open(ctx context.Context, contradicted []string, out io.Writer) (*stage, error) {
	folder, err := os.MkdirTemp("", "hyperv-rehearsal-")
	if err != nil {
		return nil, err
	}
	s := &stage{out: out, folder: folder, contradicted: contradicted, hosts: map[string]*hypervsim.Host{}}
	if err := s.setUp(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// setUp does what the set-up of a runner does.
func (s *stage) setUp(ctx context.Context) error {
	password := rand.Text()
	options, fixtures := rehearsal.Host(password, takes)
	certificates, err := clientcert.Make("hvc-admin@localhost", time.Now())
	if err != nil {
		return err
	}
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(certificates.Authority)
	options = append(options, hypervsim.WithAnswer(s.answer))
	secure := append(slices.Clip(options), hypervsim.WithTLS(), hypervsim.WithStrictChannelBinding(), hypervsim.WithClientCertificates(authorities, rehearsal.Account))
	for name, all := range map[string][]hypervsim.Option{"http": options, "https": secure} {
		if s.hosts[name], err = hypervsim.New(all...); err != nil {
			return err
		}
		if err := s.hosts[name].Start(ctx); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(fixtures, "", "  ")
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"fixtures.json": text, "ca.pem": s.hosts["https"].CACertificate(), "client.pem": certificates.Certificate, "client.key": certificates.Key,
	} {
		if err := os.WriteFile(filepath.Join(s.folder, name), content, 0o600); err != nil {
			return err
		}
	}
	s.env = append(withoutHyperV(os.Environ()),
		"GITHUB_STEP_SUMMARY="+s.summary(),
		"HYPERV_HOST=127.0.0.1", "HVC_PORT_HTTP="+strconv.Itoa(s.hosts["http"].Port()), "HVC_PORT_HTTPS="+strconv.Itoa(s.hosts["https"].Port()),
		"HYPERV_USERNAME="+rehearsal.Account, "HYPERV_PASSWORD="+password, "HYPERV_CACERT_PATH="+filepath.Join(s.folder, "ca.pem"),
		"HVC_FIXTURES="+filepath.Join(s.folder, "fixtures.json"), "HVC_SCRATCH="+rehearsal.Scratch, "HVC_DISK="+rehearsal.Formatted,
		"HVC_COMPUTER="+rehearsal.Computer, "HVC_MEMBER_PASSWORD="+password, "HVC_MEMBER_SCRATCH="+rehearsal.MemberScratch, "HVC_CERTIFICATES="+s.folder,
		// It takes two minutes of real time; tests check it in virtual time.
		"HVC_KIT_FLAGS=-without idle-connection",
		"HYPERV_TEST_TAKE_OVER_AFTER=3s",
		// What goes wrong on a simulated host is quickly found.
		"HYPERV_ACC_PARALLEL=6",
	)
	return nil
}

// withoutHyperV removes the variables about hosts from the caller's environment.
func withoutHyperV(env []string) []string {
	var kept []string
	for _, v := range env {
		if !strings.HasPrefix(v, "HYPERV_") && !strings.HasPrefix(v, "HVC_") && !strings.HasPrefix(v, "KRB5") {
			kept = append(kept, v)
		}
	}
	return kept
}

// answer changes the answers that the kit gets.
func (s *stage) answer(request, answer string) string {
	if !s.asking.Load() {
		return answer
	}
	return rehearsal.Contradict(s.contradicted, request, answer)
}

// summary returns the file name of the job's summary page.
func (s *stage) summary() string { return filepath.Join(s.folder, "summary.md") }

func (s *stage) close() {
	for _, h := range s.hosts {
		if h != nil {
			_ = h.Close()
		}
	}
	_ = os.RemoveAll(s.folder) //nolint:gosec // which the program made
}

// job runs the steps in their order, and goes on after one that failed, as the
// workflow does. It returns the names of those whose failure fails the job.
func (s *stage) job(ctx context.Context, steps []rehearsal.Step) []string {
	_ = os.RemoveAll("report")
	var failed []string
	for i, step := range steps {
		if ctx.Err() != nil {
			return failed
		}
		s.asking.Store(strings.HasPrefix(step.Run, rehearsal.StepsScript+" ask"))
		_, _ = fmt.Fprintf(s.out, "\n=== %s\n", step.Name)
		began := time.Now()
		err := s.step(ctx, step)
		_, _ = fmt.Fprintf(s.out, "    took %v\n", time.Since(began).Round(100*time.Millisecond))
		switch {
		case err == nil:
		case step.Tells:
			_, _ = fmt.Fprintf(s.out, "    told, not failed: %v\n", err)
		default:
			failed = append(failed, step.Name)
			_, _ = fmt.Fprintf(s.out, "    failed: %v\n", err)
			if i == 0 {
				return failed // nothing was built, so nothing can be run
			}
		}
	}
	return failed
}

func (s *stage) step(ctx context.Context, step rehearsal.Step) error {
	cmd := exec.CommandContext(ctx, "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step.Run) //nolint:gosec // G204: the lines of the workflow
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, s.out, s.out
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	return cmd.Run()
}

// left lists what the steps have left on the hosts.
func (s *stage) left() []string {
	var left []string
	for name, h := range s.hosts {
		for _, a := range h.Attachments() {
			left = append(left, name+": attached: "+a.Path)
		}
		for _, v := range h.VHDs() {
			if strings.Contains(v.Path, "hyperv-conformance-") {
				left = append(left, name+": "+v.Path)
			}
		}
		for _, v := range h.Violations() {
			left = append(left, name+": "+v)
		}
	}
	return left
}

// tell prints how the job ended.
func (s *stage) tell(failed, left []string) {
	_, _ = fmt.Fprintf(s.out, "\n=== End\n")
	for _, l := range left {
		_, _ = fmt.Fprintf(s.out, "left behind: %s\n", l)
	}
	switch {
	case len(failed) > 0:
		_, _ = fmt.Fprintf(s.out, "the job is red: %s\n", strings.Join(failed, ", "))
	case len(left) > 0:
		_, _ = fmt.Fprintln(s.out, "the job is red")
	default:
		_, _ = fmt.Fprintln(s.out, "the job is green")
	}
}

var errOtherwise = errors.New("the job did not end as it should")
