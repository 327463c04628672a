package provider

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const guides = "../../templates/guides/"

// TestGuideKnowsEveryVariable compares the environment variables with the table
// that users of other providers look them up in.
func TestGuideKnowsEveryVariable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(guides + "coming-from-other-providers.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "| "), " | ")
		if len(cells) != 2 || !strings.HasPrefix(cells[0], "`") {
			continue
		}
		listed[strings.Trim(cells[0], "`")] = strings.Split(strings.ReplaceAll(cells[1], "`", ""), ", ")
	}
	if diff := cmp.Diff(environment, listed); diff != "" {
		t.Errorf("the guide differs (-code +guide):\n%s", diff)
	}
}
