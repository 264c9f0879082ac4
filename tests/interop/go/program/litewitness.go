// SPDX-License-Identifier: Apache-2.0
package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/mod/sumdb/note"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// schema of litewitness's database, of which it makes only what is not there.
const schema = `
CREATE TABLE log (origin TEXT PRIMARY KEY, tree_size INTEGER NOT NULL, tree_hash TEXT NOT NULL);
CREATE TABLE key (origin TEXT NOT NULL, key TEXT NOT NULL, FOREIGN KEY(origin) REFERENCES log(origin));
`

// runLitewitness runs the witness command of torchwood for one log until the standard input ends.
// Arguments: the command, a folder of its own with a short name, name of the witness, verifier key of the log.
func runLitewitness(args []string) error {
	if len(args) != 4 {
		return errors.New("litewitness takes a command, a folder, a name and a verifier key")
	}
	command, folder, name, vkey := args[0], args[1], args[2], args[3]
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	socket := filepath.Join(folder, "agent")
	if err := serveAgent(socket, private); err != nil {
		return err
	}
	database := filepath.Join(folder, "litewitness.db")
	if err := addLog(database, vkey); err != nil {
		return err
	}
	cosigner, err := torchwood.NewCosignatureVerifierFromKey(name, public)
	if err != nil {
		return err
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return err
	}
	address, err := freeAddress()
	if err != nil {
		return err
	}
	witness := exec.Command(command, "-name", name, "-db", database, "-ssh-agent", socket, "-listen", address,
		"-key", ssh.FingerprintSHA256(key))
	said, err := witness.StderrPipe()
	if err != nil {
		return err
	}
	if err := witness.Start(); err != nil {
		return err
	}
	defer func() { _ = witness.Process.Kill(); _ = witness.Wait() }()
	if err := untilListening(bufio.NewScanner(said), address); err != nil {
		return err
	}
	answer(running{URL: "http://" + address, Keys: []string{cosigner.String()}})
	untilClosed()
	return nil
}

// serveAgent gives the key over an SSH agent, the only place from which litewitness takes one.
func serveAgent(socket string, key ed25519.PrivateKey) error {
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(keys, connection) }()
		}
	}()
	return nil
}

// addLog does what `witnessctl add-log` and `add-key` do; that command needs a module that not every proxy has.
func addLog(database, vkey string) error {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	db, err := sqlite.OpenConn(database, sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := sqlitex.ExecuteScript(db, schema, nil); err != nil {
		return err
	}
	empty := sha256.Sum256(nil)
	for query, with := range map[string][]any{
		"INSERT INTO log VALUES (?, 0, ?)": {verifier.Name(), base64.StdEncoding.EncodeToString(empty[:])},
		"INSERT INTO key VALUES (?, ?)":    {verifier.Name(), vkey},
	} {
		if err := sqlitex.Execute(db, query, &sqlitex.ExecOptions{Args: with}); err != nil {
			return err
		}
	}
	return nil
}

// freeAddress is one that was free a moment ago: litewitness does not say which port it was given.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// untilListening also reads on, so that the witness is never held up by what it says.
func untilListening(lines *bufio.Scanner, address string) error {
	var heard []string
	for lines.Scan() {
		heard = append(heard, lines.Text())
		if strings.Contains(lines.Text(), "msg=listening") {
			go func() {
				for lines.Scan() {
				}
			}()
			return untilConnected(address)
		}
	}
	return errors.New("litewitness did not start: " + strings.Join(heard, "; "))
}

// untilConnected exists because litewitness says that it listens before it does.
func untilConnected(address string) error {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			return connection.Close()
		}
		if time.Now().After(end) {
			return err
		}
	}
}
