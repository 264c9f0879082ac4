// SPDX-License-Identifier: Apache-2.0
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

// written is what one growth of a log took; the clock runs until the checkpoint that covers all is published.
type written struct {
	Leaves          int     `json:"leaves"`
	Size            uint64  `json:"size"`
	Seconds         float64 `json:"seconds"`
	LeavesPerSecond float64 `json:"leavesPerSecond"`
	Checkpoint      string  `json:"checkpoint"`
}

// runWriteLog writes a log into a folder with Tessera POSIX: prints its verifier key, and then, for every number that
// it reads from a line of the standard input, adds as many leaves and prints what that took. With -witnessed the first
// line is the name of a policy file instead, whose quorum must cosign whatever is published.
func runWriteLog(args []string) error {
	flags := flag.NewFlagSet("write-log", flag.ContinueOnError)
	origin := flags.String("origin", "tessera.example/log", "origin of the log, name of its key")
	entryBytes := flags.Int("bytes", 65, "bytes of an entry")
	batch := flags.Uint("batch", 256, "entries that Tessera sequences at once at most")
	age := flags.Duration("age", 250*time.Millisecond, "time that Tessera lets a batch wait at most")
	interval := flags.Duration("interval", 100*time.Millisecond, "time between checkpoints")
	witnessed := flags.Bool("witnessed", false, "have it cosigned under the policy that the first line names")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return fmt.Errorf("write-log takes flags and one folder")
	}
	private, public, err := note.GenerateKey(rand.Reader, *origin)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		return err
	}
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).WithBatching(*batch, *age).WithCheckpointInterval(*interval)
	answer(map[string]string{"key": public})
	lines := bufio.NewScanner(os.Stdin)
	if *witnessed {
		if !lines.Scan() {
			return errors.New("no policy was named")
		}
		witnesses, err := witnessesOf(lines.Text())
		if err != nil {
			return err
		}
		options.WithWitnesses(witnesses, nil)
	}
	return growLog(flags.Arg(0), options, lines, *entryBytes)
}

func witnessesOf(file string) (tessera.WitnessGroup, error) {
	policy, err := os.ReadFile(file)
	if err != nil {
		return tessera.WitnessGroup{}, err
	}
	return tessera.NewWitnessGroupFromPolicy(policy)
}

func growLog(folder string, options *tessera.AppendOptions, lines *bufio.Scanner, entryBytes int) error {
	ctx := context.Background()
	driver, err := posix.New(ctx, posix.Config{Path: folder})
	if err != nil {
		return err
	}
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		return err
	}
	awaiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 10*time.Millisecond)
	for lines.Scan() {
		leaves, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
		if err != nil || leaves < 1 {
			return fmt.Errorf("%q is no number of leaves", lines.Text())
		}
		limited, cancel := context.WithTimeout(ctx, patience)
		grown, err := addLeaves(limited, appender, awaiter, leaves, entryBytes)
		cancel()
		if err != nil {
			return err
		}
		answer(grown)
	}
	return shutdown(ctx)
}

// addLeaves adds random entries: deduplication is off, as it is in a log of commitments that never repeat.
func addLeaves(
	ctx context.Context, appender *tessera.Appender, awaiter *tessera.PublicationAwaiter, leaves, size int,
) (written, error) {
	entries := make([][]byte, leaves)
	for i := range entries {
		entries[i] = make([]byte, size)
		_, _ = rand.Read(entries[i])
	}
	started := time.Now()
	futures := make([]tessera.IndexFuture, leaves)
	for i, entry := range entries {
		futures[i] = appender.Add(ctx, tessera.NewEntry(entry))
	}
	var last tessera.Index
	for i, future := range futures {
		index, err := future()
		if err != nil {
			return written{}, fmt.Errorf("entry %s: %w", hex.EncodeToString(entries[i][:4]), err)
		}
		if index.Index >= last.Index {
			last = index
		}
	}
	_, checkpoint, err := awaiter.Await(ctx, func() (tessera.Index, error) { return last, nil })
	if err != nil {
		return written{}, err
	}
	took := time.Since(started).Seconds()
	return written{leaves, last.Index + 1, took, float64(leaves) / took, string(checkpoint)}, nil
}
