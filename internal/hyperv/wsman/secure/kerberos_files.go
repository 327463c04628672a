package secure

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/go-krb5/krb5/config"
	"github.com/go-krb5/krb5/keytab"
)

const maxIncludeDepth = 5

// usualKrb5Conf returns where krb5.conf is on a system; there is none on Windows. There, the path
// would be a folder of the current drive, which any user may create, and the writer of krb5.conf
// chooses the KDC.
func usualKrb5Conf(system string) []string {
	if system == "windows" {
		return nil
	}
	return []string{"/etc/krb5.conf"}
}

// loadKrb5Conf reads the configuration from path, else from the files that
// KRB5_CONFIG lists, else from its usual place, where it may be missing.
func loadKrb5Conf(path string, lookup func(string) (string, bool)) (*config.Config, error) {
	paths, optional := []string{path}, false
	if path == "" {
		paths, optional = usualKrb5Conf(runtime.GOOS), true
		if list, ok := lookup("KRB5_CONFIG"); ok && list != "" {
			paths, optional = filepath.SplitList(list), false
		}
	}
	sections := newConfSections()
	found := false
	for _, p := range paths {
		if _, err := os.Stat(p); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		found = true
		if err := sections.read(p, 0); err != nil {
			return nil, fmt.Errorf("krb5.conf: %w", err)
		}
	}
	if !found && !optional {
		return nil, fmt.Errorf("krb5.conf: %s: %w", strings.Join(paths, ", "), fs.ErrNotExist)
	}
	return sections.parse()
}

// confSections collects the lines of each section over all files. The library's parser ignores
// includes and forgets the realms of a section that comes twice.
type confSections struct {
	names []string
	lines map[string][]string
}

func newConfSections() *confSections {
	s := &confSections{lines: map[string][]string{}}
	// KDCs come from DNS unless a file says otherwise.
	s.add("libdefaults", "dns_lookup_kdc = true")
	return s
}

func (s *confSections) add(section, line string) {
	if _, ok := s.lines[section]; !ok {
		s.names = append(s.names, section)
	}
	s.lines[section] = append(s.lines[section], line)
}

func (s *confSections) parse() (*config.Config, error) {
	var b strings.Builder
	for _, name := range s.names {
		fmt.Fprintf(&b, "[%s]\n%s\n", name, strings.Join(s.lines[name], "\n"))
	}
	c, err := config.NewFromString(b.String())
	if unsupported := (config.UnsupportedDirective{}); err != nil && !errors.As(err, &unsupported) {
		return nil, fmt.Errorf("krb5.conf: %w", err)
	}
	return c, nil
}

var (
	sectionLine = regexp.MustCompile(`^\s*\[\s*([A-Za-z_]+)\s*\]\s*\*?\s*$`)
	includeLine = regexp.MustCompile(`^(include|includedir)\s+(\S.*?)\s*$`)
	// includedName matches the files of a directory that count (krb5.conf(5)).
	includedName = regexp.MustCompile(`^[A-Za-z0-9_-]+$|^[^.].*\.conf$`)
)

func (s *confSections) read(path string, depth int) error {
	if depth > maxIncludeDepth {
		return fmt.Errorf("%s: includes nested deeper than %d", path, maxIncludeDepth)
	}
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	section := ""
	scanner := bufio.NewScanner(f)
	for scanner.Scan() {
		line := scanner.Text()
		if m := includeLine.FindStringSubmatch(line); m != nil {
			if err := s.include(m[1], m[2], depth); err != nil {
				return err
			}
		} else if m := sectionLine.FindStringSubmatch(line); m != nil {
			section = strings.ToLower(m[1])
		} else if section != "" {
			s.add(section, line)
		}
	}
	return scanner.Err()
}

func (s *confSections) include(directive, path string, depth int) error {
	if directive == "include" {
		return s.read(path, depth+1)
	}
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() || !includedName.MatchString(e.Name()) {
			continue
		}
		if err := s.read(filepath.Join(path, e.Name()), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// cacheType matches the type in front of the name of a ticket cache or key table. A single letter
// is a drive.
var cacheType = regexp.MustCompile(`^[A-Za-z]{2,}:`)

func filePath(name, what string) (string, error) {
	t := cacheType.FindString(name)
	switch {
	case t == "":
		return name, nil
	case strings.EqualFold(t, "FILE:"):
		return name[len(t):], nil
	}
	return "", fmt.Errorf("kerberos: %s of type %s cannot be read; only files can (FILE:)", what, strings.TrimSuffix(t, ":"))
}

// loadKeytab reads a key table. Without Clip, lengths beyond the file would reach the
// spare room behind it.
func loadKeytab(path string) (*keytab.Keytab, error) {
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("key table: %w", err)
	}
	k := keytab.New()
	if err := parseFile(func() error { return k.Unmarshal(slices.Clip(b)) }); err != nil {
		return nil, fmt.Errorf("key table %s: %w", path, err)
	}
	if len(k.Entries) == 0 {
		return nil, fmt.Errorf("key table %s: no keys", path)
	}
	return k, nil
}

// parseFile turns a panic of a parser into an error that shows nothing of the file.
func parseFile(parse func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errDamagedFile
		}
	}()
	if parse() != nil {
		return errDamagedFile
	}
	return nil
}
