// An independent reader of our tiles, checkpoints and cosignatures: golang.org/x/mod/sumdb and transparency-dev/formats.
//
//	tlog-oracle FOLDER LOG_VKEY WITNESS_VKEY OLD_SIZE
//
// FOLDER holds a log as C2SP tlog-tiles lays it out. Prints, as JSON, what it found and the proofs that it made of it.
package main

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	tdnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder string

func (f folder) Height() int { return 8 }

func (f folder) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

// name gives C2SP's path, which leaves out the height that sumdb's has.
func name(t tlog.Tile) string {
	return strings.Replace(t.Path(), "tile/8/", "tile/", 1)
}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, t := range tiles {
		data, err := os.ReadFile(filepath.Join(string(f), name(t)))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func hexes(hashes []tlog.Hash) []string {
	found := []string{}
	for _, h := range hashes {
		found = append(found, hex.EncodeToString(h[:]))
	}
	return found
}

// entries reads every bundle of a log of this size.
func (f folder) entries(size int64) [][]byte {
	var found [][]byte
	for first := int64(0); first < size; first += 256 {
		width := min(256, size-first)
		t := tlog.Tile{H: 8, L: -1, N: first / 256, W: int(width)}
		path := strings.Replace(name(t), "tile/data/", "tile/entries/", 1)
		octets, err := os.ReadFile(filepath.Join(string(f), path))
		check(err)
		for len(octets) > 0 {
			length := int(binary.BigEndian.Uint16(octets))
			found = append(found, octets[2:2+length])
			octets = octets[2+length:]
		}
	}
	return found
}

func main() {
	f := folder(os.Args[1])
	log, err := note.NewVerifier(os.Args[2])
	check(err)
	witness, err := tdnote.NewVerifierForCosignatureV1(os.Args[3])
	check(err)
	old, err := strconv.ParseInt(os.Args[4], 10, 64)
	check(err)
	text, err := os.ReadFile(filepath.Join(string(f), "checkpoint"))
	check(err)
	opened, err := note.Open(text, note.VerifierList(log, witness))
	check(err)
	if len(opened.Sigs) != 2 {
		check(fmt.Errorf("%d of 2 signatures are true", len(opened.Sigs)))
	}
	at, err := tdnote.CoSigV1Timestamp(opened.Sigs[1])
	check(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, f)
	records := map[string][]string{}
	for index, entry := range f.entries(size) {
		proof, err := tlog.ProveRecord(size, int64(index), reader)
		check(err)
		check(tlog.CheckRecord(proof, size, root, int64(index), tlog.RecordHash(entry)))
		records[strconv.Itoa(index)] = hexes(proof)
	}
	oldRoot, err := tlog.TreeHash(old, reader)
	check(err)
	tree, err := tlog.ProveTree(size, old, reader)
	check(err)
	check(tlog.CheckTree(tree, size, root, old, oldRoot))
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"origin": lines[0], "size": size, "cosigned_at": at.Unix(),
		"records": records, "old_root": hex.EncodeToString(oldRoot[:]), "tree": hexes(tree),
	}))
}
