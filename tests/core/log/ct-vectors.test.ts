// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { toHex } from '#core/bytes/encoding.ts'
import { leafHash, merkleRoot, rootOf } from '#core/log/merkle.ts'
import { consistencyProof, inclusionProof } from '#core/log/proof.ts'
import { CT_LEAVES } from './ct-leaves.ts'

const leaves = CT_LEAVES
const hashes = leaves.map(leafHash)

/** Roots of the first 1, 2, ... leaves: first and last hexadecimal digits where the whole is not published beside. */
const ROOTS = [
  ['6e340b9c', 'fa01d'],
  ['fac54203', '3c125'],
  ['aeb6bcfe', '06e77'],
  ['d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7', ''],
  ['4e3bbb1f', '264d4'],
  ['76e67dad', '087ef'],
  ['ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c', ''],
  ['5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328', ''],
] as const
const LEFT_HALF = 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'
const SIX_SEVEN = 'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0'

describe('the Certificate Transparency leaves', () => {
  it('have the published root at every size', () => {
    ROOTS.forEach(([start, end], i) => {
      const root = toHex(rootOf(leaves.slice(0, i + 1)))
      expect(root.startsWith(start) && root.endsWith(end)).toBe(true)
    })
    expect(toHex(merkleRoot([]))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })

  it('have the published inclusion proof of leaf 5 in 8', () => {
    expect(inclusionProof(hashes, 5).map(toHex)).toEqual([
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      SIX_SEVEN,
      LEFT_HALF,
    ])
  })

  it('have the published consistency proofs from 6 to 8 and from 3 to 7', () => {
    expect(consistencyProof(hashes, 6).map(toHex)).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      SIX_SEVEN,
      LEFT_HALF,
    ])
    const [first, second, third = '', fourth, ...rest] = consistencyProof(hashes.slice(0, 7), 3).map(toHex)
    expect([first, second, fourth]).toEqual([
      '0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7',
      '07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7',
      '837dbb152e9b079010717e84e865da4ebc0fa198a806d59d31bf15accef22d0e',
    ])
    expect(third).toBe(toHex(rootOf(leaves.slice(0, 2))))
    expect(rest).toEqual([])
  })
})
