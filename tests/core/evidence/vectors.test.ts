// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { canonicalBytes } from '#core/bytes/canonical-json.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import type { EvidencePins } from '#core/evidence/trust.ts'
import { verifyEvidence } from '#core/evidence/verify.ts'
import type { Rejected } from '#tests/vectors/ampere/evidence/rejected.ts'
import { evidenceVectors } from '#tests/vectors/ampere/generate-evidence.ts'

const FOLDER = new URL('../../vectors/ampere/evidence/', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, FOLDER), 'utf8')
const pins = (JSON.parse(read('pins.json')) as { vectors: EvidencePins }).vectors
const rejected = (JSON.parse(read('rejected.json')) as { vectors: Rejected[] }).vectors
const SUFFIX = '.ampere-evidence'
const names = readdirSync(FOLDER)
  .filter((name) => name.endsWith(SUFFIX))
  .map((name) => name.slice(0, -SUFFIX.length))

/** A key of the same log's name that it does not have. */
const STRANGER = rejected
  .filter(({ name }) => name === 'a key of a stranger')
  .flatMap(({ set }) => set.map(([, value]) => (value as string[])[0] ?? ''))[0] as string

/** What each file must be taken to prove. */
const PROVES: Readonly<Record<string, RegExp>> = {
  'heads-fork': /two different blocks as the head at height 5: a fork$/,
  'heads-links':
    /a head at height 5 that is not in the history of the head that it signed at height 8: a fork$/,
  'heads-rollback': /height 8 at \S+ and only height 7 at \S+: a rollback$/,
  'checkpoints-root': /two trees of 7 leaves with different roots: a split view$/,
  'checkpoints-prefix': /a tree of 7 leaves and one of 11 that does not begin with it: a split view$/,
  'checkpoints-prefix-power': /a tree of 4 leaves and one of 16 that does not begin with it/,
  'checkpoints-leaf': /a tree of 7 leaves and one of 13 that does not begin with it/,
  blocks: /two different blocks at height 5 of chain/,
  labels: /one label at the indexes 3 and 6: a fork of one chain$/,
  'leaf-form': /holds at index 6 an entry of 14 bytes that is no log entry$/,
  'leaf-form-empty': /holds at index 6 an entry of 0 bytes that is no log entry$/,
  'leaf-form-version': /holds at index 6 an entry of 65 bytes that is no log entry$/,
  order: /holds height 5 of chain \S+ before height 4: out of order$/,
  promise: /stated height 5 of chain .* has no entry for it: a promise that was not kept$/,
  'promise-from': /stated height 5 of chain .* has no entry for it/,
  'promise-genesis': /stated height 0 of chain .* has no entry for it/,
}

describe('the vectors of evidence', () => {
  it('are what their generator writes', async () => {
    const made = await evidenceVectors()
    expect(Object.keys(made).toSorted()).toEqual(
      readdirSync(FOLDER)
        .filter((name) => !name.endsWith('.ts'))
        .toSorted(),
    )
    for (const [name, text] of Object.entries(made)) expect(text).toBe(read(name))
  })

  it('have a file for every way in which a kind convicts', () => {
    expect(names.toSorted()).toEqual(Object.keys(PROVES).toSorted())
  })

  it.each(names)('%s convinces whoever pins the registry and the log', async (name) => {
    const verdict = await verifyEvidence(utf8(read(`${name}${SUFFIX}`)), pins)
    expect(verdict.proves).toMatch(PROVES[name] ?? /^$/)
    expect(name.startsWith(verdict.kind)).toBe(true)
  })

  it.each(rejected.map((item) => [`${item.of}: ${item.name}`, item] as const))(
    '%s does not convince',
    async (_, { of, set, code, rule }) => {
      const bytes = canonicalBytes(changed(JSON.parse(read(`${of}${SUFFIX}`)), set))
      const message = rule === null ? /^evidence: / : new RegExp(`^rule ${rule}: `)
      await expect(verifyEvidence(bytes, pins)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      })
    },
  )

  it('refuse other bytes of the same', async () => {
    const text = read(`heads-fork${SUFFIX}`)
    for (const other of [`${text}\n`, ` ${text}`, text.slice(0, -1), text.replace(':', ': '), '', '[]', '{}'])
      await expect(verifyEvidence(utf8(other), pins)).rejects.toMatchObject({ code: 'EVIDENCE_MALFORMED' })
    await expect(verifyEvidence(new Uint8Array(17 * 1024 * 1024), pins)).rejects.toMatchObject({
      code: 'EVIDENCE_MALFORMED',
      message: 'evidence is larger than 16777216 bytes',
    })
  })

  it('blame a pin that is no verifier key on who pins it, and such a key in the file on the file', async () => {
    const bytes = utf8(read(`checkpoints-root${SUFFIX}`))
    const broken = pins.logs.map((key) => `${key.slice(0, -4)}AAAA`)
    await expect(verifyEvidence(bytes, { ...pins, logs: broken })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: 'a key that you trust of a log is no verifier key',
    })
    const file = canonicalBytes(
      changed(JSON.parse(read(`checkpoints-root${SUFFIX}`)), [[['log', 1], broken[1]]]),
    )
    await expect(verifyEvidence(file, pins)).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: 'rule form: a key of the log is no verifier key',
    })
  })

  it.each(names)('%s convinces nobody who pins something else, or nothing', async (name) => {
    const bytes = utf8(read(`${name}${SUFFIX}`))
    await expect(verifyEvidence(bytes, { registry: null, logs: [] })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('that you trust'),
    })
    const others = { registry: 'A'.repeat(43) as typeof pins.registry, logs: [STRANGER] }
    await expect(verifyEvidence(bytes, others)).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringMatching(/^rule pinned: /),
    })
  })
})

function changed(file: unknown, set: Rejected['set']): unknown {
  for (const [path, value] of set) {
    const last = path.at(-1) ?? ''
    const parent = path
      .slice(0, -1)
      .reduce<unknown>((of, key) => (of as Record<string | number, unknown>)[key], file)
    ;(parent as Record<string | number, unknown>)[last] = value
  }
  return file
}
