// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { toHex } from '#core/bytes/encoding.ts'
import { leafHash, merkleRoot, rootOf } from '#core/log/merkle.ts'
import { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion } from '#core/log/proof.ts'
import { CT_LEAVES } from './ct-leaves.ts'

interface Case {
  readonly file: string
  readonly wantErr: boolean
  readonly proof: readonly string[] | null
  readonly [name: string]: unknown
}
const cases = (name: string): Case[] =>
  readFileSync(new URL(`../../vectors/merkle/${name}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Case)
const bytes = (value: unknown) =>
  new Uint8Array(Buffer.from(typeof value === 'string' ? value : '', 'base64'))

describe('Merkle trees', () => {
  it('give the roots of the Certificate Transparency test leaves', () => {
    const leaves = CT_LEAVES
    expect(toHex(rootOf([]))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(toHex(rootOf(leaves.slice(0, 7)))).toBe(
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    )
    expect(toHex(rootOf(leaves))).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328')
    expect(inclusionProof(leaves.map(leafHash), 5).map(toHex)[0]).toBe(
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    )
  })

  it('judge every published inclusion proof as its authors do', () => {
    const wrong = cases('inclusion').filter((item) => {
      const accepted = verifyInclusion({
        leaf: bytes(item['leafHash']),
        index: Number(item['leafIdx']),
        size: Number(item['treeSize']),
        proof: (item.proof ?? []).map(bytes),
        root: bytes(item['root']),
      })
      return accepted === item.wantErr
    })
    expect(wrong.map((item) => item.file)).toEqual([])
  })

  it('judge every published consistency proof as its authors do', () => {
    const wrong = cases('consistency').filter((item) => {
      const accepted = verifyConsistency({
        size1: Number(item['size1']),
        root1: bytes(item['root1']),
        size2: Number(item['size2']),
        root2: bytes(item['root2']),
        proof: (item.proof ?? []).map(bytes),
      })
      return accepted === item.wantErr
    })
    expect(wrong.map((item) => item.file)).toEqual([])
  })

  it('prove every leaf and every prefix of all trees up to 40 leaves, and nothing after a changed bit', () => {
    const leaves = Array.from({ length: 40 }, (_, i) => leafHash(Uint8Array.of(i)))
    for (let size = 1; size <= 40; size++) {
      const tree = leaves.slice(0, size)
      const root = merkleRoot(tree)
      for (let index = 0; index < size; index++) {
        const proof = inclusionProof(tree, index)
        const leaf = tree[index] ?? new Uint8Array(0)
        expect(verifyInclusion({ leaf, index, size, proof, root })).toBe(true)
        expect(verifyInclusion({ leaf, index: index + 1, size, proof, root })).toBe(false)
        const changed = proof.map((hash, i) =>
          i === 0 ? hash.map((byte, j) => (j === 0 ? byte ^ 1 : byte)) : hash,
        )
        if (proof.length > 0) expect(verifyInclusion({ leaf, index, size, proof: changed, root })).toBe(false)
        const smaller = merkleRoot(tree.slice(0, index + 1))
        const consistency = {
          size1: index + 1,
          root1: smaller,
          size2: size,
          root2: root,
          proof: consistencyProof(tree, index + 1),
        }
        expect(verifyConsistency(consistency)).toBe(true)
        if (index + 1 < size) expect(verifyConsistency({ ...consistency, root2: smaller })).toBe(false)
      }
    }
  })
})
