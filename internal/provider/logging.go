package provider

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// wire is the subsystem of the log to which package hyperv writes its exchanges with hosts; envWire
// sets the level of that subsystem alone.
const (
	wire    = "wire"
	envWire = "TF_LOG_PROVIDER_HYPERV_WIRE"
)

// inLog returns a context under which every line of the log carries the disk, and the lines of the
// wire have their own level.
func (s subject) inLog(ctx context.Context) context.Context {
	ctx = tflog.NewSubsystem(ctx, wire, tflog.WithLevelFromEnv(envWire), tflog.WithRootFields())
	field, value := "path", s.path
	if s.machine != "" {
		field, value = "machine", s.machine
	}
	return tflog.SubsystemSetField(tflog.SetField(ctx, field, value), wire, field, value)
}

// newLogger returns a logger that writes to the subsystem of the wire. Its lines carry the fields
// of the context, see inLog.
func newLogger(env lookupEnv) *slog.Logger { return slog.New(tflogHandler{least: logLevel(env)}) }

// tflogHandler passes records on to tflog.
type tflogHandler struct {
	least  slog.Level
	attrs  []slog.Attr
	prefix string
}

// levelTrace is below the lowest level that slog names.
const levelTrace = slog.LevelDebug - 4

var logLevels = map[string]slog.Level{
	"DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARN": slog.LevelWarn, "ERROR": slog.LevelError,
}

// logLevel returns the lowest level that any variable asks Terraform for.
// Terraform drops other lines only after they were written, which costs more
// than the work that is logged: bodies of messages are logged at trace level.
func logLevel(env lookupEnv) slog.Level {
	names := []string{"TF_LOG", "TF_LOG_PROVIDER", "TF_LOG_PROVIDER_HYPERV"}
	if value, _ := env(envWire); value != "" {
		names = []string{envWire}
	}
	least := slog.LevelWarn
	for _, name := range names {
		value, _ := env(name)
		value = strings.ToUpper(value)
		if value == "" || value == "OFF" {
			continue
		}
		level, ok := logLevels[value]
		if !ok {
			level = levelTrace // as in Terraform, for TRACE, JSON and unknown values
		}
		least = min(least, level)
	}
	return least
}

// Enabled implements slog.Handler.
func (h tflogHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.least }

// Handle implements slog.Handler.
func (h tflogHandler) Handle(ctx context.Context, r slog.Record) error {
	fields := map[string]any{}
	for _, a := range h.attrs {
		addField(fields, "", a)
	}
	r.Attrs(func(a slog.Attr) bool {
		addField(fields, h.prefix, a)
		return true
	})
	write := tflog.SubsystemError
	switch {
	case r.Level <= levelTrace:
		write = tflog.SubsystemTrace
	case r.Level < slog.LevelInfo:
		write = tflog.SubsystemDebug
	case r.Level < slog.LevelWarn:
		write = tflog.SubsystemInfo
	case r.Level < slog.LevelError:
		write = tflog.SubsystemWarn
	}
	write(ctx, wire, r.Message, fields)
	return nil
}

// WithAttrs implements slog.Handler.
func (h tflogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	all := make([]slog.Attr, 0, len(h.attrs)+len(attrs))
	all = append(all, h.attrs...)
	for _, a := range attrs {
		a.Key = h.prefix + a.Key
		all = append(all, a)
	}
	return tflogHandler{least: h.least, attrs: all, prefix: h.prefix}
}

// WithGroup implements slog.Handler.
func (h tflogHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return tflogHandler{least: h.least, attrs: h.attrs, prefix: h.prefix + name + "."}
}

// addField resolves an attribute, so that a value that redacts itself is
// redacted, and flattens groups.
func addField(fields map[string]any, prefix string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range v.Group() {
			addField(fields, prefix, member)
		}
		return
	}
	if a.Key == "" {
		return
	}
	if v.Kind() == slog.KindDuration {
		fields[prefix+a.Key+"_ms"] = milliseconds(v.Duration())
		return
	}
	fields[prefix+a.Key] = plainValue(v)
}

// milliseconds returns a duration as a number that can be summed up and compared.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// plainValue returns a value as a log shows it; errors are shown by their text.
func plainValue(v slog.Value) any {
	switch v.Kind() {
	case slog.KindBool, slog.KindInt64, slog.KindUint64, slog.KindFloat64:
		return v.Any()
	default:
		return v.String()
	}
}

// logProgress returns a function that writes the progress of one run to the
// log. Package hyperv throttles its reports already.
func logProgress(ctx context.Context, s subject) func(hyperv.Progress) {
	return func(p hyperv.Progress) {
		tflog.Info(ctx, "compaction "+string(p.Phase), map[string]any{
			"host": s.host, "job": p.JobID, "pass": p.Pass,
			"percent": p.Percent, "elapsed_ms": milliseconds(p.Elapsed), "done": p.Done,
		})
	}
}
