package provider

import "github.com/hypervcompact/terraform-provider-hyperv/internal/hostenv"

// lookupEnv reads an environment variable; a test brings its own.
type lookupEnv func(name string) (value string, ok bool)

// environment lists the variables that stand in for an attribute.
var environment = hostenv.All()

const (
	// envUseNTLM holds a bool where the attribute holds a name.
	envUseNTLM = hostenv.UseNTLM
	// envCCName must not compete with settings that were meant for this provider.
	envCCName = hostenv.CCName
)
