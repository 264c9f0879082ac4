// SPDX-License-Identifier: Apache-2.0
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"filippo.io/torchwood"
	f_note "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// patience with one log. A worker of fsck that finds an error ends, and when all have ended the check waits for ever.
const patience = 60 * time.Second

// workers of fsck; more than the errors that one changed file makes, for the reason above.
const workers = 8

// runFsck checks a log over HTTP with Tessera's fsck: every leaf hashed, every tile and the root derived anew.
// Arguments: URL of the log with a final slash, verifier key of its Ed25519 or ML-DSA-44 signatures.
func runFsck(args []string) error {
	if len(args) != 2 {
		return errors.New("fsck takes a URL and a verifier key")
	}
	root, err := url.Parse(args[0])
	if err != nil {
		return err
	}
	verifier, err := f_note.NewVerifier(args[1])
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	time.AfterFunc(patience+time.Second, func() {
		answer(map[string]string{"error": "fsck hangs"})
		os.Exit(1)
	})
	fetcher, err := client.NewHTTPFetcher(root, http.DefaultClient)
	if err != nil {
		return err
	}
	check := fsck.New(verifier.Name(), verifier, fetcher, leafHashes, fsck.Opts{N: workers})
	if err := check.Check(ctx); err != nil {
		return err
	}
	checkpoint, _, _, err := client.FetchCheckpoint(ctx, fetcher.ReadCheckpoint, verifier, verifier.Name())
	if err != nil {
		return err
	}
	answer(map[string]any{"size": checkpoint.Size, "root": checkpoint.Hash})
	return nil
}

// leafHashes is what Tessera's own command gives to fsck, where it is not exported.
func leafHashes(bundle []byte) ([][]byte, error) {
	var entries api.EntryBundle
	if err := entries.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	var hashes [][]byte
	for _, entry := range entries.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

// runReadEntries reads a log over HTTP with torchwood's client, which proves each entry against the checkpoint, and the
// last one also with an inclusion proof. Arguments: URL of the log, verifier key.
func runReadEntries(args []string) error {
	if len(args) != 2 {
		return errors.New("read-entries takes a URL and a verifier key")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	verifier, err := verifierOf(args[1])
	if err != nil {
		return err
	}
	fetcher, err := torchwood.NewTileFetcher(args[0])
	if err != nil {
		return err
	}
	signed, err := fetcher.ReadEndpoint(ctx, "checkpoint")
	if err != nil {
		return err
	}
	policy := torchwood.ThresholdPolicy(
		2, torchwood.OriginPolicy(verifier.Name()), torchwood.SingleVerifierPolicy(verifier))
	checkpoint, _, err := torchwood.VerifyCheckpoint(signed, policy)
	if err != nil {
		return err
	}
	reader, err := torchwood.NewClient(fetcher)
	if err != nil {
		return err
	}
	count, all := int64(0), sha256.New()
	for _, entry := range reader.AllEntries(ctx, checkpoint.Tree, 0) {
		all.Write(entry)
		count++
	}
	if err := reader.Err(); err != nil {
		return err
	}
	entry, proof, err := reader.Entry(ctx, checkpoint.Tree, checkpoint.N-1)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(
		proof, checkpoint.N, checkpoint.Hash, checkpoint.N-1, tlog.RecordHash(entry)); err != nil {
		return err
	}
	answer(map[string]any{"entries": count, "sha256": fmt.Sprintf("%x", all.Sum(nil)), "proof": len(proof)})
	return nil
}

// verifierOf is torchwood's verifier for cosignatures, else that of Go itself for Ed25519.
func verifierOf(vkey string) (note.Verifier, error) {
	if verifier, err := torchwood.NewCosignatureVerifier(vkey); err == nil {
		return verifier, nil
	}
	return note.NewVerifier(vkey)
}
