package conformance

import (
	"context"
	"encoding/xml"
	"strings"
)

// plugIn is the part of the configuration of a WinRM plug-in that matters.
type plugIn struct {
	Quotas struct {
		PerUser string `xml:"MaxConcurrentOperationsPerUser,attr"`
	} `xml:"Quotas"`
	Resources []struct {
		URI      string `xml:"ResourceUri,attr"`
		Security []struct {
			SDDL string `xml:"Sddl,attr"`
		} `xml:"Security"`
	} `xml:"Resources>Resource"`
}

// plugInOf reads the configuration that the fixtures hold.
func (k *kit) plugInOf() (*plugIn, string) {
	var p plugIn
	switch f := k.options.Fixtures; {
	case f == nil || f.PlugIn == "":
		return nil, "the set-up has not read the configuration of the plug-in"
	case xml.Unmarshal([]byte(f.PlugIn), &p) != nil:
		return nil, "the configuration of the plug-in is no XML"
	}
	return &p, ""
}

func (k *kit) plugInQuota(context.Context) verdict {
	p, why := k.plugInOf()
	switch {
	case p == nil:
		return notTested("%s", why)
	case p.Quotas.PerUser == "":
		return notTested("the configuration of the plug-in names no quota")
	}
	return when(p.Quotas.PerUser == "15", "MaxConcurrentOperationsPerUser %s", p.Quotas.PerUser)
}

// remoteManagementUsers are the forms in which a security descriptor names that group.
var remoteManagementUsers = []string{";;;RM)", ";;;S-1-5-32-580)"}

// plugInRights looks at which accounts the resource of all WMI classes lets in.
func (k *kit) plugInRights(context.Context) verdict {
	p, why := k.plugInOf()
	if p == nil {
		return notTested("%s", why)
	}
	for _, r := range p.Resources {
		if !strings.HasSuffix(strings.TrimSuffix(r.URI, "/"), "/wsman/1/wmi") {
			continue
		}
		var all []string
		for _, s := range r.Security {
			all = append(all, s.SDDL)
		}
		sddl := strings.Join(all, "")
		if sddl == "" {
			return contradicted("the resource has no descriptor of its own")
		}
		return when(containsAny(sddl, remoteManagementUsers), "Remote Management Users named %t", containsAny(sddl, remoteManagementUsers))
	}
	return notTested("the configuration of the plug-in has no resource for WMI")
}

func containsAny(s string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

func (k *kit) filteredToken(context.Context) verdict {
	f := k.options.Fixtures
	if f == nil || f.FilteredTokenRefused == nil {
		return notTested("the set-up did not try a logon before and after LocalAccountTokenFilterPolicy was set")
	}
	return when(*f.FilteredTokenRefused, "refused before %t", *f.FilteredTokenRefused)
}
