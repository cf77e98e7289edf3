package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/causeway-apim/causeway/internal/telemetry"
	"github.com/causeway-apim/causeway/internal/telemetry/otlp"
)

// logTargets are the places that the log of a gateway goes to besides its standard output.
type logTargets struct {
	*slog.MultiHandler
	sinks     []*telemetry.LogSink
	collector *otlp.Logs // nil without
}

// gatewayLog is the log that the settings ask for.
func gatewayLog(w io.Writer, s *settings) (*slog.Logger, error) {
	level, err := telemetry.LogLevel(s.text("telemetry.logs.std.level"))
	if err != nil {
		return nil, err
	}
	std, err := telemetry.NewLogHandler(w, telemetry.LogOptions{
		Format: strings.ToLower(s.text("telemetry.logs.std")), Level: level,
		Color: s.flag("telemetry.logs.std.color") && isTerminal(w),
	})
	if err != nil {
		return nil, err
	}
	handlers, targets := []slog.Handler{std}, &logTargets{}
	plain := slog.New(std) // what targets have to tell of themselves does not go through them
	for _, target := range chosenTargets(s) {
		sink, err := openTarget(s, target, level, plain)
		if err != nil {
			targets.close()
			return nil, usageError("settings telemetry.logs.local.%s.*: %w", target, err)
		}
		targets.sinks, handlers = append(targets.sinks, sink), append(handlers, sink)
	}
	if s.flag("observability.opentelemetry.logs.enabled") {
		o, err := collectorOptions(s, "log lines", plain)
		if err == nil {
			targets.collector, err = otlp.NewLogs(o, level)
		}
		if err != nil {
			targets.close()
			return nil, err
		}
		handlers = append(handlers, targets.collector)
	}
	if len(handlers) == 1 {
		return plain, nil
	}
	targets.MultiHandler = slog.NewMultiHandler(handlers...)
	return slog.New(targets), nil
}

// chosenTargets are those that telemetry.logs.local names. auto means those whose endpoint is set; for JSON, whose endpoint has a default, one that
// is not the default.
func chosenTargets(s *settings) (list []telemetry.LogTarget) {
	switch word := strings.ToLower(s.text("telemetry.logs.local")); word {
	case "none", "forward", "":
		return nil
	case "auto":
		for _, t := range [...]telemetry.LogTarget{telemetry.TargetLocalSyslog, telemetry.TargetRFC5424, telemetry.TargetJournal, telemetry.TargetJSON} {
			if v := s.values[targetSetting(t, "endpoint")]; v.value != "" && v.origin != "default" {
				list = append(list, t)
			}
		}
		return list
	default:
		return []telemetry.LogTarget{telemetry.LogTarget(word)}
	}
}

func targetSetting(t telemetry.LogTarget, name string) string {
	return "telemetry.logs.local." + string(t) + "." + name
}

// journalSocket is where systemd's journal listens.
const journalSocket = "/run/systemd/journal/socket"

func openTarget(s *settings, t telemetry.LogTarget, level slog.Level, plain *slog.Logger) (*telemetry.LogSink, error) {
	endpoint := s.text(targetSetting(t, "endpoint"))
	if endpoint == "" && t == telemetry.TargetJournal {
		endpoint = journalSocket
	}
	if endpoint == "" {
		return nil, errors.New("the endpoint is required: /dev/log, or host:port")
	}
	facility, err := telemetry.ParseFacility(s.text(targetSetting(t, "facility")))
	if err != nil {
		return nil, err
	}
	return telemetry.OpenLogSink(telemetry.LogSinkOptions{
		Target: t, Endpoint: endpoint, Facility: facility, Level: level, Host: telemetry.LocalHost(), Process: strconv.Itoa(os.Getpid()),
		Report: func(dropped int64, err error) {
			switch {
			case err != nil:
				plain.Warn("Log lines cannot be sent to their target.", telemetry.EventKey, "LogTargetFailed", "target", string(t), "dropped", dropped, "error", err)
			case dropped > 0:
				plain.Warn("Log lines were dropped on the way to their target.", telemetry.EventKey, "LogTargetFailed", "target", string(t), "dropped", dropped)
			default:
				plain.Info("Log lines reach their target again.", telemetry.EventKey, "LogTargetRestored", "target", string(t))
			}
		},
	})
}

// targetsOf are the targets of a log; none for one that only writes to the standard output.
func targetsOf(log *slog.Logger) *logTargets {
	if t, ok := log.Handler().(*logTargets); ok {
		return t
	}
	return &logTargets{}
}

// run sends log lines to the collector until ctx ends, and closes the other targets then.
func (t *logTargets) run(ctx context.Context, gateway, instance string) {
	var running sync.WaitGroup
	if t.collector != nil {
		t.collector.Identify(gateway, instance)
		running.Go(func() { t.collector.Run(ctx) })
	}
	<-ctx.Done()
	running.Wait()
	t.close()
}

func (t *logTargets) close() {
	for _, s := range t.sinks {
		s.Close()
	}
}
