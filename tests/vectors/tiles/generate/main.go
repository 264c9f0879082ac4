// SPDX-License-Identifier: Apache-2.0

// Writes ../tiles.json with golang.org/x/mod/sumdb/tlog, which shares no code with this project:
//
//	cd tests/vectors/tiles/generate && go run . > ../tiles.json
//
// Every run writes the same bytes. Log entry i is the text "entry i". The sparse trees have the entry "sparse"
// everywhere but at one index, where it is "special".
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // 256 hashes in a tile, c2sp.org/tlog-tiles

type root struct {
	Size int64  `json:"size"`
	Root string `json:"root"`
}
type inclusion struct {
	Index int64    `json:"index"`
	Size  int64    `json:"size"`
	Proof []string `json:"proof"`
}
type consistency struct {
	Size1 int64    `json:"size1"`
	Size2 int64    `json:"size2"`
	Proof []string `json:"proof"`
}
type tile struct {
	Path   string `json:"path"`
	Sha256 string `json:"sha256"`
}
type step struct {
	From  int64  `json:"from"`
	To    int64  `json:"to"`
	Tiles []tile `json:"tiles"`
}
type path struct {
	Level int    `json:"level"`
	Index int64  `json:"index"`
	Width int    `json:"width"`
	Path  string `json:"path"`
}
type tree struct {
	Special     int64         `json:"special,omitempty"`
	Roots       []root        `json:"roots"`
	Inclusion   []inclusion   `json:"inclusion"`
	Consistency []consistency `json:"consistency"`
}
type vectors struct {
	Paths  []path `json:"paths"`
	Steps  []step `json:"steps"`
	Dense  tree   `json:"dense"`
	Sparse []tree `json:"sparse"`
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// c2spPath drops the height, which tlog-tiles fixes and Go's checksum database writes.
func c2spPath(t tlog.Tile) string {
	return strings.Replace(t.Path(), "tile/8/", "tile/", 1)
}

func texts(hashes []tlog.Hash) []string {
	out := []string{}
	for _, hash := range hashes {
		out = append(out, hex.EncodeToString(hash[:]))
	}
	return out
}

func fill(t *tree, reader tlog.HashReader, sizes []int64, indexes func(size int64) []int64) {
	for i, size := range sizes {
		hash := must(tlog.TreeHash(size, reader))
		t.Roots = append(t.Roots, root{size, hex.EncodeToString(hash[:])})
		for _, index := range indexes(size) {
			proof := must(tlog.ProveRecord(size, index, reader))
			t.Inclusion = append(t.Inclusion, inclusion{index, size, texts(proof)})
		}
		for _, smaller := range sizes[:i+1] {
			proof := must(tlog.ProveTree(size, smaller, reader))
			t.Consistency = append(t.Consistency, consistency{smaller, size, texts(proof)})
		}
	}
}

func within(size int64, indexes ...int64) []int64 {
	out := []int64{}
	seen := map[int64]bool{}
	for _, index := range indexes {
		if index >= 0 && index < size && !seen[index] {
			out = append(out, index)
			seen[index] = true
		}
	}
	return out
}

func dense(sizes []int64) (tree, []step) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			out[i] = stored[index]
		}
		return out, nil
	})
	for i := int64(0); i < sizes[len(sizes)-1]; i++ {
		entry := []byte("entry " + strconv.FormatInt(i, 10))
		stored = append(stored, must(tlog.StoredHashes(i, entry, reader))...)
	}
	var steps []step
	from := int64(0)
	for _, to := range sizes {
		s := step{from, to, []tile{}}
		for _, t := range tlog.NewTiles(height, from, to) {
			sum := sha256.Sum256(must(tlog.ReadTileData(t, reader)))
			s.Tiles = append(s.Tiles, tile{c2spPath(t), hex.EncodeToString(sum[:])})
		}
		steps = append(steps, s)
		from = to
	}
	var t tree
	fill(&t, reader, sizes, func(size int64) []int64 {
		return within(size, 0, 1, 254, 255, 256, size/2, 65535, 65536, size-1)
	})
	return t, steps
}

func sparse(special int64, sizes []int64) tree {
	common := []tlog.Hash{tlog.RecordHash([]byte("sparse"))}
	onPath := []tlog.Hash{tlog.RecordHash([]byte("special"))}
	for level := 0; level < 54; level++ {
		common = append(common, tlog.NodeHash(common[level], common[level]))
		if special>>level&1 == 1 {
			onPath = append(onPath, tlog.NodeHash(common[level], onPath[level]))
		} else {
			onPath = append(onPath, tlog.NodeHash(onPath[level], common[level]))
		}
	}
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			level, n := tlog.SplitStoredHashIndex(index)
			out[i] = common[level]
			if n == special>>level {
				out[i] = onPath[level]
			}
		}
		return out, nil
	})
	t := tree{Special: special}
	fill(&t, reader, sizes, func(size int64) []int64 {
		return within(size, 0, special-1, special, special+1, size/3, size-1)
	})
	return t
}

func main() {
	v := vectors{}
	for _, n := range []int64{0, 1, 67, 999, 1000, 1001, 1234067, 999999, 1000000, 1 << 32, 1 << 40, 1 << 52, 1<<53 - 1} {
		for _, level := range []int{0, 1, 6, 9, 10, 63} {
			for _, width := range []int{1, 9, 112, 255, 256} {
				t := tlog.Tile{H: height, L: level, N: n, W: width}
				v.Paths = append(v.Paths, path{level, n, width, c2spPath(t)})
			}
		}
	}
	v.Dense, v.Steps = dense([]int64{1, 2, 3, 7, 255, 256, 257, 600, 65535, 65536, 65537, 70000})
	v.Sparse = []tree{
		sparse(1<<40+3, []int64{1<<40 - 1, 1 << 40, 1<<40 + 5, 1<<40 + 70000}),
		sparse(1<<52+65536, []int64{1<<52 - 256, 1 << 52, 1<<52 + 65537, 1<<53 - 1}),
	}
	encoder := json.NewEncoder(os.Stdout)
	if err := encoder.Encode(v); err != nil {
		panic(err)
	}
}
