// SPDX-License-Identifier: Apache-2.0

// Command program lets software that others wrote judge a log: each subcommand is a few lines around one of their
// libraries, so that what is compared is theirs and not a third reading of the specifications.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"k8s.io/klog/v2"
)

// commands by name; each writes JSON, one value a line, to the standard output.
var commands = map[string]func(args []string) error{
	"fsck":         runFsck,
	"read-entries": runReadEntries,
	"verify":       runVerify,
	"litewitness":  runLitewitness,
	"omniwitness":  runOmniwitness,
	"write-log":    runWriteLog,
}

func main() {
	// The libraries log much that is no failure; what matters they return.
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	quiet := flag.NewFlagSet("klog", flag.PanicOnError)
	klog.InitFlags(quiet)
	_ = quiet.Set("logtostderr", "false")
	_ = quiet.Set("stderrthreshold", "FATAL")
	klog.SetOutput(io.Discard)

	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: program fsck|read-entries|verify|litewitness|omniwitness|write-log ...")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		answer(map[string]string{"error": err.Error()})
		os.Exit(1)
	}
}

func answer(value any) {
	if err := json.NewEncoder(os.Stdout).Encode(value); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

// untilClosed returns when the standard input ends: whoever started this process ends it by that, or by ending.
func untilClosed() {
	_, _ = io.Copy(io.Discard, os.Stdin)
}
