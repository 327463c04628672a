package rehearsal

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// Step is a step of the workflow that runs on the rehearsal too.
type Step struct {
	Name string
	// Run is the line of the shell.
	Run string
	// Tells: the step only reports; its failure does not fail the job.
	Tells bool
}

// StepsScript is the script that the steps call which are the same on every machine.
const StepsScript = ".ci/hyperv-steps.sh"

var (
	stepLine = regexp.MustCompile(`^ +- (name: (.*)|uses: .*)$`)
	runLine  = regexp.MustCompile(`^ +run: (\S.*)$`)
	tellLine = regexp.MustCompile(`^ +continue-on-error: true$`)
)

// Steps reads the steps of a workflow that call the script, in their order. It knows
// no more of YAML than that each stands on lines of its own.
func Steps(file string) ([]Step, error) {
	workflow, err := os.Open(file) //nolint:gosec // G304: a file of the repository
	if err != nil {
		return nil, err
	}
	defer workflow.Close() //nolint:errcheck // it was only read
	var all []Step
	lines := bufio.NewScanner(workflow)
	for lines.Scan() {
		switch line := lines.Text(); {
		case stepLine.MatchString(line):
			all = append(all, Step{Name: stepLine.FindStringSubmatch(line)[2]})
		case len(all) == 0:
		case tellLine.MatchString(line):
			all[len(all)-1].Tells = true
		case runLine.MatchString(line):
			all[len(all)-1].Run = runLine.FindStringSubmatch(line)[1]
		}
	}
	var steps []Step
	for _, s := range all {
		if strings.HasPrefix(s.Run, StepsScript+" ") {
			steps = append(steps, s)
		}
	}
	if len(steps) == 0 {
		return nil, fmt.Errorf("%s has no step that calls %s", file, StepsScript)
	}
	return steps, lines.Err()
}
