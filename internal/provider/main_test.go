package provider_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider"
)

// envServe makes this test program the provider itself, for tests that need it
// as a process of its own.
const envServe = "HYPERV_TEST_SERVE"

// pace makes these tests, which run in real time, wait less than a real run, and keeps the many
// short commands of Terraform from collecting garbage, which took a third of their processor time;
// variables that are set already are kept.
var pace = map[string]string{
	"HYPERV_TEST_TAKE_OVER_AFTER": "2s", "HYPERV_TEST_CLEAN_UP_FOR": "2s",
	"GOGC": "off", "GOMEMLIMIT": "1GiB",
}

func TestMain(m *testing.M) {
	for name, value := range pace {
		if _, set := os.LookupEnv(name); !set || name == "GOGC" {
			if err := os.Setenv(name, value); err != nil {
				panic(err)
			}
		}
	}
	if os.Getenv(envServe) == "" {
		flag.Parse()
		asked := false
		flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
		if !asked { // They spend a part of their time waiting for Terraform.
			if err := flag.Set("test.parallel", strconv.Itoa(max(4, runtime.GOMAXPROCS(0)))); err != nil {
				panic(err)
			}
		}
		os.Exit(m.Run())
	}
	if names := os.Getenv(envNames); names != "" {
		resolveOnly(names)
	}
	err := providerserver.Serve(context.Background(), provider.New("test"), providerserver.ServeOpts{Address: provider.Address})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
