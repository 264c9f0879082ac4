// SPDX-License-Identifier: Apache-2.0
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"

	f_note "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/witness/config"
	"github.com/transparency-dev/witness/omniwitness"
	"github.com/transparency-dev/witness/persistence/inmemory"
	"golang.org/x/mod/sumdb/note"
)

// running is what a witness says of itself once it answers.
type running struct {
	URL  string   `json:"url"`
	Keys []string `json:"keys"`
}

// runOmniwitness serves the witness of transparency-dev for one log until the standard input ends. It asks nothing of
// any network: no distributor, no bastion, no list of public logs. It signs with both types of key that it has.
// Arguments: name of the witness, verifier key of the log.
func runOmniwitness(args []string) error {
	if len(args) != 2 {
		return errors.New("omniwitness takes a name and a verifier key")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signers, keys, err := omniwitnessKeys(args[0])
	if err != nil {
		return err
	}
	verifier, err := f_note.NewVerifier(args[1])
	if err != nil {
		return err
	}
	stored := inmemory.New()
	if err := stored.AddLogs(ctx, []config.Log{
		{VKey: args[1], Verifier: verifier, Origin: verifier.Name()}}); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	answer(running{URL: "http://" + listener.Addr().String(), Keys: keys})
	go func() {
		untilClosed()
		cancel()
	}()
	operator := omniwitness.OperatorConfig{WitnessKeys: signers, Logs: stored}
	if err := omniwitness.Main(ctx, operator, stored, listener, http.DefaultClient); ctx.Err() == nil {
		return err
	}
	return nil
}

func omniwitnessKeys(name string) ([]note.Signer, []string, error) {
	edwards, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return nil, nil, err
	}
	cosigner, err := f_note.NewSignerForCosignatureV1(edwards)
	if err != nil {
		return nil, nil, err
	}
	cosigning, err := f_note.VKeyToCosignatureV1(vkey)
	if err != nil {
		return nil, nil, err
	}
	lattice, quantum, err := f_note.GenerateMLDSAKey(name)
	if err != nil {
		return nil, nil, err
	}
	quantumCosigner, err := f_note.NewMLDSASigner(lattice)
	if err != nil {
		return nil, nil, err
	}
	return []note.Signer{cosigner, quantumCosigner}, []string{cosigning, quantum}, nil
}
