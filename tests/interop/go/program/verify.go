// SPDX-License-Identifier: Apache-2.0
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"filippo.io/torchwood"
	"github.com/transparency-dev/tessera"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// plainBytes of a signature without a time: key ID and Ed25519. torchwood would read a time out of it too.
const plainBytes = 4 + 64

// verification is one thing to verify: a checkpoint with keys, one under a policy, or a proof under a policy.
type verification struct {
	Note   string   `json:"note"`
	Keys   []string `json:"keys"`
	Policy string   `json:"policy"`
	Proof  string   `json:"proof"`
	Entry  []byte   `json:"entry"`
	// ByTessera asks Tessera, which reads policies as a log does, instead of torchwood.
	ByTessera bool `json:"byTessera"`
}

// signature that verified.
type signature struct {
	Name string `json:"name"`
	ID   string `json:"id"`
	// Time is null for a signature type without one.
	Time *int64 `json:"time"`
}

// verdict on one; Error is empty where it verified.
type verdict struct {
	Error      string      `json:"error,omitempty"`
	Origin     string      `json:"origin,omitempty"`
	Size       int64       `json:"size,omitempty"`
	Signatures []signature `json:"signatures,omitempty"`
}

// runVerify answers each line of the standard input, JSON of a verification, with a line of JSON.
func runVerify([]string) error {
	lines := bufio.NewReader(os.Stdin)
	decoder := json.NewDecoder(lines)
	for decoder.More() {
		var asked verification
		if err := decoder.Decode(&asked); err != nil {
			return err
		}
		given, err := verify(asked)
		if err != nil {
			given = verdict{Error: err.Error()}
		}
		answer(given)
	}
	return nil
}

func verify(asked verification) (verdict, error) {
	switch {
	case asked.ByTessera:
		group, err := tessera.NewWitnessGroupFromPolicy([]byte(asked.Policy))
		if err != nil {
			return verdict{}, fmt.Errorf("policy: %w", err)
		}
		if !group.Satisfied([]byte(asked.Note)) {
			return verdict{}, errors.New("the quorum is not reached")
		}
		return verdict{}, nil
	case asked.Proof != "":
		policy, err := torchwood.ParsePolicy([]byte(asked.Policy))
		if err != nil {
			return verdict{}, fmt.Errorf("policy: %w", err)
		}
		return verdict{}, torchwood.VerifyProof(policy, tlog.RecordHash(asked.Entry), []byte(asked.Proof))
	case asked.Policy != "":
		policy, err := torchwood.ParsePolicy([]byte(asked.Policy))
		if err != nil {
			return verdict{}, fmt.Errorf("policy: %w", err)
		}
		checkpoint, opened, err := torchwood.VerifyCheckpoint([]byte(asked.Note), policy)
		if err != nil {
			return verdict{}, err
		}
		return verdictOf(checkpoint, opened)
	default:
		return openNote(asked)
	}
}

// openNote asks for a signature by every key.
func openNote(asked verification) (verdict, error) {
	var verifiers []note.Verifier
	for _, vkey := range asked.Keys {
		verifier, err := verifierOf(vkey)
		if err != nil {
			return verdict{}, err
		}
		verifiers = append(verifiers, verifier)
	}
	opened, err := note.Open([]byte(asked.Note), note.VerifierList(verifiers...))
	if err != nil {
		return verdict{}, err
	}
	if len(opened.Sigs) != len(verifiers) {
		return verdict{}, errors.New("not every key signed")
	}
	checkpoint, err := torchwood.ParseCheckpoint(opened.Text)
	if err != nil {
		return verdict{}, err
	}
	return verdictOf(checkpoint, opened)
}

func verdictOf(checkpoint torchwood.Checkpoint, opened *note.Note) (verdict, error) {
	given := verdict{Origin: checkpoint.Origin, Size: checkpoint.N}
	for _, made := range opened.Sigs {
		one := signature{Name: made.Name, ID: fmt.Sprintf("%08x", made.Hash)}
		bytes, err := base64.StdEncoding.DecodeString(made.Base64)
		if err != nil {
			return verdict{}, err
		}
		if len(bytes) != plainBytes {
			at, err := torchwood.CosignatureTimestamp(made)
			if err != nil {
				return verdict{}, err
			}
			one.Time = &at
		}
		given.Signatures = append(given.Signatures, one)
	}
	return given, nil
}
