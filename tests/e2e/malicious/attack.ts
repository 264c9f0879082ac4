// SPDX-License-Identifier: Apache-2.0
import { afterAll, expect, it } from '@jest/globals'
import type { EvidencePins } from '#core/evidence/trust.ts'
import { verifyEvidence } from '#core/evidence/verify.ts'
import { logKey, logSigner, type LogSigner } from '#core/log/note/key.ts'
import { softwareSigner } from '#core/crypto/signature.ts'
import { ATTACKS, type Attack, type Victim } from './attacks.ts'

/** What a victim made of an attack. */
export interface Outcome {
  readonly called: string
  /** The file that it left, and what a third party pins who has nothing else. */
  readonly evidence?: { readonly bytes: Uint8Array; readonly pins: EvidencePins }
}

/** Carries out the attacks of the table on one victim; each must be, and come to what the table says. */
export function attacksOn<V extends Victim>(
  victim: V,
): (name: keyof (typeof ATTACKS)[V] & string, run: () => Promise<Outcome>) => void {
  const table: Readonly<Record<string, Attack>> = ATTACKS[victim]
  const done = new Set<string>()
  afterAll(() => {
    expect([...done].toSorted()).toEqual(Object.keys(table).toSorted())
  })
  return (name, run) => {
    done.add(name)
    it(name, async () => {
      const { called, evidence } = await run()
      const kind = evidence ? (await verifyEvidence(evidence.bytes, evidence.pins)).kind : null
      const expected = table[name]
      const convicts = typeof expected?.evidence === 'string' ? expected.evidence : null
      expect({ called, evidence: kind }).toEqual({ called: expected?.called, evidence: convicts })
    })
  }
}

/** Counters that make seeds of two Ed25519 keys with one key ID under a name: found by trying a hundred thousand. */
const COLLISIONS = {
  'log.example/log': [3753, 5161],
  'log-1.example/log': [48_591, 59_595],
  'home.test/log': [36_581, 89_668],
} as const

/** Two signers of one name whose keys differ and have the same key ID. */
export async function collidingSigners(
  name: keyof typeof COLLISIONS,
): Promise<readonly [pinned: LogSigner, other: LogSigner]> {
  const [a, b] = COLLISIONS[name]
  const signers = [await signerBy(name, a), await signerBy(name, b)] as const
  expect(signers[0].key.id).toBe(signers[1].key.id)
  expect(signers[0].key.publicKey).not.toEqual(signers[1].key.publicKey)
  return signers
}

async function signerBy(name: string, counter: number): Promise<LogSigner> {
  const seed = new Uint8Array(32)
  new DataView(seed.buffer).setUint32(28, counter)
  return logSigner(name, 'Ed25519', await softwareSigner('Ed25519', seed))
}

/** The same key under another name. */
export function renamed(signer: LogSigner, name: string): LogSigner {
  const { key } = signer
  return { key: logKey(name, key.type, key.publicKey), sign: (bytes) => signer.sign(bytes) }
}

/** A note whose signature line number `line` (0 the first) has another signature of the same key ID. */
export function withBadSignature(note: string, line: number): string {
  const lines = note.split('\n')
  const at = lines.findIndex((text) => text.startsWith('\u2014')) + line
  const text = lines[at] ?? ''
  // The last but some characters are of the signature, and no padding.
  const place = text.length - 8
  lines[at] = `${text.slice(0, place)}${text[place] === 'A' ? 'B' : 'A'}${text.slice(place + 1)}`
  return lines.join('\n')
}
