// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { asDeploymentId, asInstitutionId, type Digest, type Kid } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { recordKey, type RegistryRecord } from '#core/registry/records.ts'
import type { RegistryLink } from '#core/registry/reduce.ts'
import { bucketIndex, emptyState, proveRecord, putRecords, stateRoot } from '#core/registry/state.ts'
import { RegistryStates } from '#core/server/store/registry-states.ts'

const HEIGHTS = 40
const IDS = 300

const record = (n: number, version: number): RegistryRecord => ({
  v: 1,
  kind: 'deployment',
  id: asDeploymentId(`home-${n}`),
  institution: asInstitutionId('hospital-a'),
  origin: `https://home-${version}.test`,
  kid: 'k'.repeat(43) as Kid,
})

/** A registry whose block at each height changes some records, most of them more than once in all. */
function links(): readonly RegistryLink[] {
  const made: RegistryLink[] = []
  let state = emptyState()
  for (let height = 0; height < HEIGHTS; height++) {
    const changed = Array.from({ length: height % 5 === 3 ? 0 : 16 }, (_, i) =>
      record((height * height * 7 + i * 13) % IDS, height),
    )
    state = putRecords(state, changed)
    const id = 'x'.repeat(43) as Digest
    made.push({ state, changed, place: { registry: id, height, id, time: toTimestamp(0) } })
  }
  return made
}

const all = links()
const states = new RegistryStates()
for (const link of all) states.add(link)

describe('the states of a registry', () => {
  it('prove at every height what the state of that height proves', () => {
    const keys = Array.from({ length: IDS + 20 }, (_, n) => recordKey(record(n, 0)))
    // Several records in one bucket are among them.
    expect(new Set(keys.slice(0, IDS).map(bucketIndex)).size).toBeLessThan(IDS)
    fc.assert(
      fc.property(fc.nat(HEIGHTS - 1), fc.constantFrom(...keys), (height, key) => {
        const then = all[height]?.state ?? emptyState()
        expect(states.prove(height, key)).toEqual({ proof: proveRecord(then, key), root: stateRoot(then) })
      }),
      { numRuns: 2000, seed: 70 },
    )
  })

  it('are added one after the other, and proved no further', () => {
    const some = new RegistryStates()
    expect(some.height()).toBe(-1)
    expect(() => some.prove(0, 'rules')).toThrow(RangeError)
    const [first, second, third] = all
    if (!first || !second || !third) throw new Error('three blocks are expected')
    expect(() => some.add(second)).toThrow(RangeError)
    some.add(first)
    expect(() => some.add(third)).toThrow(RangeError)
    expect(() => some.add(first)).toThrow(RangeError)
    expect(some.height()).toBe(0)
    expect(() => some.prove(1, 'rules')).toThrow('there is no such registry block')
    expect(some.prove(0, 'rules').root).toBe(stateRoot(first.state))
  })
})
