package conformance

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/winpath"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// file reads a file, a directory or a share of root\cimv2.
func (k *kit) file(ctx context.Context, class, path string) (*cim.Instance, error) {
	return k.client.Get(ctx, cim.NewReference(cim.NamespaceCIMv2, class, cim.Selector{Name: "Name", Value: path}))
}

// gone reports whether an error says that an instance does not exist.
func gone(err error) bool {
	fault, ok := errors.AsType[*wsman.Fault](err)
	return ok && missing(fault, 2150858752, 2147749890)
}

func (k *kit) fileClassesByName(ctx context.Context) verdict {
	if winpath.IsUNC(k.subject) || winpath.IsVolumeGUID(k.subject) {
		return notTested("the disk is not on a drive of the host")
	}
	_, directory := k.file(ctx, cim.ClassDirectory, winpath.Dir(k.subject))
	_, file := k.file(ctx, cim.ClassDataFile, k.subject)
	for _, err := range []error{directory, file} {
		if err != nil && !gone(err) {
			return trouble(err)
		}
	}
	return when(directory == nil && file == nil, "directory %t, file %t", directory == nil, file == nil)
}

func (k *kit) absentFile(ctx context.Context) verdict {
	_, err := k.file(ctx, cim.ClassDataFile, k.absent(".vhdx"))
	return wantFault(err, hasAny(2150858752, 2147749890))
}

func (k *kit) fileLetterCase(ctx context.Context) verdict {
	i, err := k.file(ctx, cim.ClassDataFile, strings.ToUpper(k.subject))
	if err != nil {
		return trouble(err)
	}
	name, _ := i.String("Name")
	return when(name != "" && !strings.ContainsFunc(name, unicode.IsUpper), "capitals in the name %t", strings.ContainsFunc(name, unicode.IsUpper))
}

// localDrives looks for a directory behind a share that the host is known to have.
func (k *kit) localDrives(ctx context.Context) verdict {
	if _, err := k.file(ctx, "Win32_Share", "ADMIN$"); gone(err) {
		return notTested("the host does not share a directory to look for")
	} else if err != nil {
		return trouble(err)
	}
	_, err := k.file(ctx, cim.ClassDirectory, `\\localhost\ADMIN$`)
	switch {
	case err == nil:
		return contradicted("a directory behind a share was found")
	case gone(err):
		return held("%s", summary(err))
	}
	return trouble(err)
}

func (k *kit) junctions(ctx context.Context) verdict {
	query := `SELECT Name FROM Win32_Directory WHERE Drive='C:' AND Path='\\'`
	all, err := k.enumerate(ctx, wsman.Enumeration{ResourceURI: allInCIMv2, WQL: query})
	if err != nil {
		return trouble(err)
	}
	if len(all) == 0 {
		return notTested("the host lists nothing on drive C")
	}
	for _, i := range all {
		if name, _ := i.String("Name"); strings.EqualFold(name, `C:\Documents and Settings`) {
			return held("listed among %d directories", len(all))
		}
	}
	return contradicted("not among %d directories", len(all))
}
