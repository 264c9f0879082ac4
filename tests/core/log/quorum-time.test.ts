// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { formatVerifierKey, type LogKey } from '#core/log/note/key.ts'
import { parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import { quorumOf } from '#core/log/policy/quorum.ts'
import { COSIGNER_AHEAD_SECONDS, quorumBy, quorumTime } from '#core/log/policy/quorum-time.ts'
import { signerOf, TIME } from './signers.ts'

const names = ['A', 'B', 'C', 'D', 'E']
const keys = new Map<string, LogKey>()
for (const [i, name] of names.entries())
  keys.set(name, (await signerOf(`witness.example/${name}`, 'cosignature-Ed25519', 30 + i)).key)
const keyOf = (name: string) => keys.get(name) as LogKey

/** A policy over all of `names` with these groups. */
function policyOf(...groups: string[]): Policy {
  const lines = names.map((name) => `witness ${name} ${formatVerifierKey(keyOf(name))}`)
  return parsePolicy(`${[...lines, ...groups].join('\n')}\n`)
}
const twoOfThree = policyOf('group g 2 A B C', 'quorum g')
const NOW = TIME + 10_000
const cosigned = (times: Readonly<Record<string, number>>) =>
  Object.entries(times).map(([name, time]) => ({ key: keyOf(name), time }))
const timeOf = (policy: Policy, times: Readonly<Record<string, number>>, now = NOW) =>
  quorumTime(policy, cosigned(times), now)

describe('the time of a quorum', () => {
  it('is the latest since which enough have cosigned', () => {
    expect(timeOf(twoOfThree, { A: TIME + 1, B: TIME + 2, C: TIME + 3 })).toBe(TIME + 2)
    expect(timeOf(twoOfThree, { A: TIME + 9, C: TIME + 3 })).toBe(TIME + 3)
  })

  it('is not held back by a witness that the quorum can do without, nor moved by one alone', () => {
    expect(timeOf(twoOfThree, { A: NOW, B: NOW, C: 1 })).toBe(NOW)
    expect(timeOf(twoOfThree, { A: NOW, B: TIME, C: TIME })).toBe(TIME)
  })

  it('goes through groups of groups', () => {
    const policy = policyOf('group x all A B', 'group y any C D', 'group g 2 x y E', 'quorum g')
    expect(timeOf(policy, { A: TIME + 5, B: TIME + 1, C: TIME + 2, D: TIME + 8 })).toBe(TIME + 1)
    expect(timeOf(policy, { A: TIME + 5, B: TIME + 1, D: TIME + 8, E: TIME + 7 })).toBe(TIME + 7)
    expect(timeOf(policy, { A: TIME + 5, C: TIME + 2, D: TIME + 8 })).toBeNull()
  })

  it('of one witness is its own, whatever others say', () => {
    const one = policyOf('quorum B')
    expect(timeOf(one, { A: TIME + 9, B: TIME })).toBe(TIME)
    expect(timeOf(one, { A: TIME + 9 })).toBeNull()
  })

  it('is null where there is no quorum, and where none is asked for', () => {
    expect(timeOf(twoOfThree, { A: TIME })).toBeNull()
    expect(timeOf(twoOfThree, {})).toBeNull()
    expect(timeOf(policyOf('quorum none'), { A: TIME })).toBeNull()
  })

  it('leaves out cosignatures without a time and of clocks that are too far ahead', () => {
    const limit = NOW + COSIGNER_AHEAD_SECONDS
    expect(timeOf(twoOfThree, { A: 0, B: TIME })).toBeNull()
    expect(timeOf(twoOfThree, { A: limit + 1, B: limit + 1, C: TIME })).toBeNull()
    expect(timeOf(twoOfThree, { A: limit + 1, B: TIME + 4, C: TIME })).toBe(TIME)
    expect(timeOf(twoOfThree, { A: limit, B: limit, C: TIME })).toBe(limit)
    expect(timeOf(twoOfThree, { A: limit + 1, B: TIME }, Infinity)).toBe(TIME)
  })

  it('counts no key of somebody else, and of several by one key the latest', () => {
    const stranger = { ...keyOf('A'), name: 'other' }
    const others = [
      { key: stranger, time: NOW },
      { key: keyOf('D'), time: NOW },
      { key: keyOf('B'), time: TIME },
    ]
    expect(quorumTime(twoOfThree, others, NOW)).toBeNull()
    const twice = [...cosigned({ A: TIME, B: TIME + 2 }), ...cosigned({ A: TIME + 6 })]
    expect(quorumTime(twoOfThree, twice, NOW)).toBe(TIME + 2)
  })

  it('is for every policy the latest time whose later cosigners satisfy it', () => {
    const policies = [
      twoOfThree,
      policyOf('group x 2 A B C', 'group g all x D', 'quorum g'),
      policyOf('group x all A B', 'group y any C D', 'group g 2 x y E', 'quorum g'),
    ]
    const times = fc.dictionary(fc.constantFrom(...names), fc.integer({ min: TIME, max: TIME + 6 }))
    fc.assert(
      fc.property(fc.constantFrom(...policies), times, (policy, some) => {
        const satisfiedSince = (t: number) =>
          quorumOf(
            policy,
            cosigned(some).flatMap(({ key, time }) => (time >= t ? [key] : [])),
          ).satisfied
        const found = Object.values(some).filter(satisfiedSince)
        expect(timeOf(policy, some)).toBe(found.length === 0 ? null : Math.max(...found))
      }),
      { seed: 70 },
    )
  })
})

describe('the time by which a quorum saw something', () => {
  const byOf = (policy: Policy, times: Readonly<Record<string, number>>) => quorumBy(policy, cosigned(times))

  it('is not moved back by a witness alone, and is that of the last one where all are needed', () => {
    expect(byOf(twoOfThree, { A: 1, B: TIME, C: TIME + 2 })).toBe(TIME)
    expect(byOf(twoOfThree, { A: 1, C: TIME + 2 })).toBe(TIME + 2)
    expect(byOf(policyOf('quorum B'), { A: TIME + 9, B: 1 })).toBe(1)
  })

  it('is null where there is no quorum, where none is asked for, and of cosignatures without a time', () => {
    expect(byOf(twoOfThree, { A: TIME })).toBeNull()
    expect(byOf(twoOfThree, { A: TIME, B: 0 })).toBeNull()
    expect(byOf(policyOf('quorum none'), { A: TIME })).toBeNull()
  })

  it('is for every policy the earliest time whose earlier cosigners satisfy it', () => {
    const policies = [
      twoOfThree,
      policyOf('group x 2 A B C', 'group g all x D', 'quorum g'),
      policyOf('group x all A B', 'group y any C D', 'group g 2 x y E', 'quorum g'),
    ]
    const times = fc.dictionary(fc.constantFrom(...names), fc.integer({ min: TIME, max: TIME + 6 }))
    fc.assert(
      fc.property(fc.constantFrom(...policies), times, (policy, some) => {
        const satisfiedBy = (t: number) =>
          quorumOf(
            policy,
            cosigned(some).flatMap(({ key, time }) => (time <= t ? [key] : [])),
          ).satisfied
        const found = Object.values(some).filter(satisfiedBy)
        expect(byOf(policy, some)).toBe(found.length === 0 ? null : Math.min(...found))
      }),
      { seed: 71 },
    )
  })
})
