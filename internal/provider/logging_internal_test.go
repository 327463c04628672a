package provider

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-log/tflogtest"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// logged returns the lines that a logger writes to Terraform's log, without the time.
func logged(t *testing.T, level string, write func(context.Context, *slog.Logger)) []map[string]any {
	t.Helper()
	var out bytes.Buffer
	ctx := tflogtest.RootLogger(t.Context(), &out)
	write(subject{path: `D:\a.vhdx`}.inLog(ctx), newLogger(from(map[string]string{"TF_LOG_PROVIDER": level})))
	lines, err := tflogtest.MultilineJSONDecode(&out)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		for _, name := range []string{"@caller", "@module", "@timestamp"} {
			delete(line, name)
		}
	}
	return lines
}

func TestLogger(t *testing.T) {
	t.Parallel()
	got := logged(t, "TRACE", func(ctx context.Context, log *slog.Logger) {
		log = log.With("host", "hv01").WithGroup("request").With("id", 7)
		log.Log(ctx, levelTrace, "body")
		log.DebugContext(ctx, "sent", "status", 200, "took", 20*time.Millisecond, slog.Group("soap", "fault", true))
		log.InfoContext(ctx, "info", "error", errors.New("refused"))
		log.WarnContext(ctx, "warned", "config", hyperv.Config{Auth: hyperv.AuthNTLM, Password: canary})
		log.ErrorContext(ctx, "failed", slog.Group("", "inline", 1))
	})
	want := []map[string]any{
		{"@level": "trace", "@message": "body", "path": `D:\a.vhdx`, "host": "hv01", "request.id": 7.0},
		{"@level": "debug", "@message": "sent", "path": `D:\a.vhdx`, "host": "hv01", "request.id": 7.0, "request.status": 200.0, "request.took_ms": 20.0, "request.soap.fault": true},
		{"@level": "info", "@message": "info", "path": `D:\a.vhdx`, "host": "hv01", "request.id": 7.0, "request.error": "refused"},
		{"@level": "warn", "@message": "warned", "path": `D:\a.vhdx`, "host": "hv01", "request.id": 7.0, "request.config": "hyperv.Config{ntlm}"},
		{"@level": "error", "@message": "failed", "path": `D:\a.vhdx`, "host": "hv01", "request.id": 7.0, "request.inline": 1.0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// Lines below the level that was asked for are not even written.
func TestLogger_level(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]int{"": 2, "OFF": 2, "ERROR": 2, "WARN": 2, "info": 3, "DEBUG": 4, "TRACE": 5, "JSON": 5, "verbose": 5} {
		got := logged(t, level, func(ctx context.Context, log *slog.Logger) {
			for _, l := range []slog.Level{levelTrace, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
				if log.Enabled(ctx, l) {
					log.Log(ctx, l, "line")
				}
			}
		})
		if len(got) != want {
			t.Errorf("level %q: %d of 5 lines, want %d", level, len(got), want)
		}
	}
}

func TestLogLevel_mostTalkativeWins(t *testing.T) {
	t.Parallel()
	env := from(map[string]string{"TF_LOG": "OFF", "TF_LOG_PROVIDER": "INFO", "TF_LOG_PROVIDER_HYPERV": "DEBUG"})
	if got := logLevel(env); got != slog.LevelDebug {
		t.Errorf("logLevel = %v, want %v", got, slog.LevelDebug)
	}
}

// The level of the wire alone decides once it is set, in both directions.
func TestLogLevel_wire(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]slog.Level{"": slog.LevelDebug, "OFF": slog.LevelWarn, "INFO": slog.LevelInfo, "TRACE": levelTrace} {
		if got := logLevel(from(map[string]string{"TF_LOG_PROVIDER": "DEBUG", envWire: level})); got != want {
			t.Errorf("%s=%q: logLevel = %v, want %v", envWire, level, got, want)
		}
	}
}

func TestLogProgress(t *testing.T) {
	t.Parallel()
	got := logged(t, "INFO", func(ctx context.Context, _ *slog.Logger) {
		logProgress(disk.inLog(ctx), disk)(hyperv.Progress{Phase: hyperv.PhaseCompacting, Pass: 1, Percent: 40, Elapsed: 90 * time.Second, JobID: "job-7"})
	})
	want := []map[string]any{{
		"@level": "info", "@message": "compaction compacting", "path": `D:\a.vhdx`, "host": "hv01", "job": "job-7",
		"pass": 1.0, "percent": 40.0, "elapsed_ms": 90000.0, "done": false,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}
