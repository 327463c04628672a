package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims/marks"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/compare"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance/replay"
)

// compareReports says what reports mean. The result is bad when a settled claim
// was contradicted.
func compareReports(s settings) (string, bool, error) {
	var reports []*conformance.Report
	for _, name := range s.files {
		r, err := conformance.ReadReport(name)
		if err != nil {
			return "", false, err
		}
		reports = append(reports, r)
	}
	var found []marks.Mark
	text := ""
	if _, err := os.Stat(filepath.Join(s.source, "go.mod")); err != nil {
		text = "\nNo source tree was there, so that marks in the code were not looked for: see `-source`.\n"
	} else if found, err = marks.Find(s.source); err != nil {
		return "", false, err
	}
	c := compare.New(reports, found)
	return c.Markdown() + text, c.Fails(), nil
}

// replayRecordings sends recorded requests to the simulated host. The result is bad when an answer
// differs.
func replayRecordings(ctx context.Context, s settings) (string, bool, error) {
	rec, err := conformance.ReadRecordings(s.files[0])
	if err != nil {
		return "", false, err
	}
	r, err := replay.Run(ctx, rec, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", false, err
	}
	return r.Markdown(), len(r.Differences) > 0, nil
}
