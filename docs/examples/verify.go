// Verifies what the desk's API answers with somebody else's code: the Go project's own checksum database library.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run verify.go VKEY record proof
//	GO111MODULE=off GOPATH=/usr/share/gocode go run verify.go VKEY old-checkpoint new-checkpoint consistency
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(problem interface{}) {
	fmt.Println("NOT VERIFIED:", problem)
	os.Exit(1)
}

func read(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		fail(err)
	}
	return string(data)
}

func hash(text string) tlog.Hash {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != tlog.HashSize {
		fail("not a hash: " + text)
	}
	var found tlog.Hash
	copy(found[:], raw)
	return found
}

// checkpoint opens a signed note and returns the size and the root of the tree that it tells of.
func checkpoint(signed, vkey string) (int64, tlog.Hash) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		fail(err)
	}
	opened, err := note.Open([]byte(signed), note.VerifierList(verifier))
	if err != nil {
		fail(err)
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail(err)
	}
	return size, hash(lines[2])
}

func inclusion(vkey, record, proof string) {
	parts := strings.SplitN(proof, "\n\n", 2)
	lines := strings.Split(parts[0], "\n")
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil || lines[0] != "c2sp.org/tlog-proof@v1" {
		fail("not a tlog-proof")
	}
	var path tlog.RecordProof
	for _, line := range lines[2:] {
		path = append(path, hash(line))
	}
	size, root := checkpoint(parts[1], vkey)
	if err := tlog.CheckRecord(path, size, root, index, tlog.RecordHash([]byte(record))); err != nil {
		fail(err)
	}
	fmt.Printf("VERIFIED: leaf %d of %d\n", index, size)
}

func consistency(vkey, older, newer, proof string) {
	var path tlog.TreeProof
	for _, line := range strings.Fields(proof) {
		path = append(path, hash(line))
	}
	oldSize, oldRoot := checkpoint(older, vkey)
	newSize, newRoot := checkpoint(newer, vkey)
	if err := tlog.CheckTree(path, newSize, newRoot, oldSize, oldRoot); err != nil {
		fail(err)
	}
	fmt.Printf("VERIFIED: %d leaves begin with the same %d\n", newSize, oldSize)
}

func main() {
	switch len(os.Args) {
	case 4:
		inclusion(os.Args[1], read(os.Args[2]), read(os.Args[3]))
	case 5:
		consistency(os.Args[1], read(os.Args[2]), read(os.Args[3]), read(os.Args[4]))
	default:
		fail("usage: verify.go VKEY record proof, or VKEY old new consistency")
	}
}
