// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import type { Digest } from '#core/bytes/ids.ts'
import { isAmpereError, ruleIn } from '#core/errors.ts'
import type { RegistryRecord } from '#core/registry/records.ts'
import { checkSpeaks, openRevocation, withRevoked } from '#core/registry/revocation.ts'
import type { RegistryView } from '#core/registry/snapshot.ts'
import { revocationVectors, type RevocationVectors } from '#tests/vectors/ampere/generate-revocations.ts'
import { verifiers } from './members.ts'

const file = new URL('../../vectors/ampere/revocations.json', import.meta.url)
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: RevocationVectors }
const view: RegistryView = {
  registry: vectors.registry as Digest,
  head: { height: 4, id: vectors.registry as Digest },
  get: (key) => (vectors.records[key] as RegistryRecord | undefined) ?? null,
}
const open = (statement: string) => openRevocation(statement, view, verifiers)

describe('revocations that earlier versions signed', () => {
  it('are those that this version signs', async () => {
    expect(await revocationVectors()).toEqual(vectors)
  })

  it('are taken as they were', async () => {
    expect(vectors.accepted).toHaveLength(4)
    for (const { statement, institution, kid } of vectors.accepted)
      expect(await open(statement)).toMatchObject({ institution, revocation: { kid } })
  })

  it('may be shown first only while their signer speaks for an active institution', async () => {
    const opened = await open(vectors.accepted[3]?.statement ?? '')
    expect(() => checkSpeaks(opened, view)).toThrow(/^rule author: /)
  })

  it.each(vectors.rejected)('are refused: $why', async ({ code, rule, statement }) => {
    const error = await open(statement).catch((failure: unknown) => failure)
    if (!isAmpereError(error)) throw new Error('a refusal is expected')
    expect({ code: error.code, rule: ruleIn(error) }).toEqual({ code, rule })
  })
})

describe('a view with revocations that were shown', () => {
  it('has the key revoked, its instance with it, and all else as it is', async () => {
    const { revocation } = await open(vectors.accepted[0]?.statement ?? '')
    const { kid } = revocation
    const seen = withRevoked(view, new Map([[kid, revocation]]))
    expect(seen.get(`key/${kid}`)).toMatchObject({ revoked: { reason: 'compromised', height: 4 } })
    for (const key of Object.keys(vectors.records))
      if (key !== `key/${kid}`) expect(seen.get(key)).toBe(view.get(key))
    expect(withRevoked(view, new Map())).toBe(view)
  })
})
