// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { canonicalBytes, canonicalize } from '#core/bytes/canonical-json.ts'
import { fromBase64url, toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, asInstitutionId } from '#core/bytes/ids.ts'
import { digestOf, sha256 } from '#core/crypto/hash.ts'
import { AmpereError } from '#core/errors.ts'
import { leafHash, merkleRoot } from '#core/log/merkle.ts'
import { inclusionProof, verifyInclusion } from '#core/log/proof.ts'
import { recordKey, type DeploymentRecord } from '#core/registry/records.ts'
import {
  BUCKETS,
  emptyState,
  getRecord,
  proveRecord,
  putRecords,
  recordsIn,
  stateRoot,
  verifyRecordProof,
  type RecordProof,
  type RegistryState,
} from '#core/registry/state.ts'

const deployment = (n: number): DeploymentRecord => ({
  v: 1,
  kind: 'deployment',
  id: asDeploymentId(`d-${n}`),
  institution: asInstitutionId('a'),
  origin: `http://${n}.test`,
  kid: toBase64url(new Uint8Array(32)) as DeploymentRecord['kid'],
})
const keyOf = (n: number) => `deployment/d-${n}`
/** First 12 bits of SHA-256, in whole numbers. */
const bucketOf = (key: string) => {
  const [first = 0, second = 0] = sha256(utf8(key))
  return Math.floor((first * 256 + second) / 16)
}

const COUNT = 400
let state: RegistryState
/** Two numbers below COUNT and one above whose keys share a bucket. */
let neighbours: readonly [number, number, number]

beforeAll(() => {
  state = putRecords(
    emptyState(),
    Array.from({ length: COUNT }, (_, n) => deployment(n)),
  )
  const byBucket = Map.groupBy(
    Array.from({ length: COUNT }, (_, n) => n),
    (n) => bucketOf(keyOf(n)),
  )
  const [shared = 0, [one = 0, two = 0] = []] = [...byBucket].find(([, list]) => list.length > 1) ?? []
  let absent = COUNT
  while (bucketOf(keyOf(absent)) !== shared) absent++
  neighbours = [one, two, absent]
})

/** The bucket hashes computed from the records alone. */
function bucketHashes(of: RegistryState): Uint8Array[] {
  const buckets = Map.groupBy(recordsIn(of), (record) => bucketOf(recordKey(record)))
  return Array.from({ length: BUCKETS }, (_, i) => {
    const sorted = (buckets.get(i) ?? []).toSorted((a, b) => (recordKey(a) < recordKey(b) ? -1 : 1))
    return leafHash(canonicalBytes(sorted))
  })
}

function outcome(proof: RecordProof, key: string, root = stateRoot(state)): unknown {
  try {
    return verifyRecordProof(proof, key, root)
  } catch (error) {
    return error instanceof AmpereError ? error.code : error
  }
}

describe('the state of the registry', () => {
  it('has the RFC 6962 root over its 4,096 buckets, however it came about', () => {
    expect(fromBase64url(stateRoot(emptyState()))).toEqual(merkleRoot(bucketHashes(emptyState())))
    expect(fromBase64url(stateRoot(state))).toEqual(merkleRoot(bucketHashes(state)))
    const moved = putRecords(state, [{ ...deployment(3), origin: 'http://moved.test' }, deployment(COUNT)])
    expect(fromBase64url(stateRoot(moved))).toEqual(merkleRoot(bucketHashes(moved)))
    const back = putRecords(moved, [deployment(3)])
    expect(stateRoot(back)).toBe(stateRoot(putRecords(state, [deployment(COUNT)])))
  })

  it('does not change when another is made from it', () => {
    const before = stateRoot(state)
    putRecords(state, [{ ...deployment(0), origin: 'http://other.test' }])
    expect(stateRoot(state)).toBe(before)
    expect(getRecord(state, keyOf(0))).toEqual(deployment(0))
    expect(fromBase64url(stateRoot(state))).toEqual(merkleRoot(bucketHashes(state)))
  })
})

describe('a record proof', () => {
  it('shows what the state says of a key, present or absent, alone or with neighbours', () => {
    const [one, two, absent] = neighbours
    for (const n of [one, two, 0, COUNT - 1]) {
      expect(outcome(proveRecord(state, keyOf(n)), keyOf(n))).toEqual(deployment(n))
    }
    expect(proveRecord(state, keyOf(one)).bucket).toBe(proveRecord(state, keyOf(two)).bucket)
    for (const key of [keyOf(absent), 'rules', 'institution/none', '']) {
      expect(outcome(proveRecord(state, key), key)).toBeNull()
    }
    expect(outcome(proveRecord(emptyState(), 'rules'), 'rules', stateRoot(emptyState()))).toBeNull()
  })

  it('is an inclusion proof of RFC 6962, so that other tools can check it', () => {
    const hashes = bucketHashes(state)
    for (const key of [keyOf(1), keyOf(neighbours[2]), 'rules']) {
      const proof = proveRecord(state, key)
      const index = bucketOf(key)
      expect(proof.hashes).toEqual(inclusionProof(hashes, index).map(toBase64url))
      const leaf = leafHash(utf8(proof.bucket))
      const path = proof.hashes.map(fromBase64url)
      expect(
        verifyInclusion({ leaf, index, size: BUCKETS, proof: path, root: fromBase64url(stateRoot(state)) }),
      ).toBe(true)
    }
  })

  it('does not show a record as absent, another record, or one that is not there', () => {
    const [one, two, absent] = neighbours
    const proof = proveRecord(state, keyOf(one))
    const buckets = [
      [],
      [deployment(two)],
      [{ ...deployment(one), origin: 'http://evil.test' }, deployment(two)],
      [deployment(one), deployment(two), deployment(absent)].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      [deployment(one), deployment(two)].toSorted((a, b) => (a.id < b.id ? 1 : -1)),
    ].map((bucket) => canonicalize(bucket))
    for (const bucket of [...buckets, ` ${proof.bucket}`, '', 'null', '{}']) {
      expect(outcome({ ...proof, bucket }, keyOf(one))).toBe('PROOF_INVALID')
    }
    expect(outcome(proveRecord(state, keyOf(one)), 'rules')).toBe('PROOF_INVALID')
  })

  it('does not fit another root', () => {
    const later = putRecords(state, [deployment(COUNT)])
    expect(outcome(proveRecord(state, keyOf(1)), keyOf(1), stateRoot(later))).toBe('PROOF_INVALID')
    expect(outcome(proveRecord(state, keyOf(1)), keyOf(1), digestOf(utf8('')))).toBe('PROOF_INVALID')
  })

  it('fails with one code wherever its hashes are changed', () => {
    const key = fc.oneof(fc.nat(COUNT * 2).map(keyOf), fc.constant('rules'))
    const at = fc.nat(11)
    fc.assert(
      fc.property(key, at, fc.nat(31), fc.string({ maxLength: 50 }), (name, place, byte, noise) => {
        const proof = proveRecord(state, name)
        const hash = fromBase64url(proof.hashes[place] ?? '')
        const flipped = toBase64url(hash.map((value, i) => (i === byte ? value ^ 1 : value)))
        const put = (...hashes: string[]) => proof.hashes.toSpliced(place, 1, ...hashes)
        const wrong = [
          put(flipped),
          put(),
          put(flipped, flipped),
          put(toBase64url(hash.slice(1))),
          put(noise),
        ]
        for (const hashes of [...wrong, [], [...proof.hashes, flipped]]) {
          expect(outcome({ ...proof, hashes }, name)).toBe('PROOF_INVALID')
        }
      }),
      { numRuns: 100 },
    )
  })

  it('fails on hashes that share their bytes out differently', () => {
    const proof = proveRecord(state, keyOf(1))
    const [first = '', second = '', ...rest] = proof.hashes
    const joined = Uint8Array.of(...fromBase64url(first), ...fromBase64url(second))
    const [a, b] = [toBase64url(joined.slice(0, 31)), toBase64url(joined.slice(31))]
    expect(outcome({ ...proof, hashes: [a, b, ...rest] }, keyOf(1))).toBe('PROOF_INVALID')
  })
})
