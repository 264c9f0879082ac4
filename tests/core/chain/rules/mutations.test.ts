// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Json } from '#core/bytes/canonical-json.ts'
import { signJws } from '#core/block/jws.ts'
import { isViolation } from '#core/block/violation.ts'
import type { Link } from '#core/chain/state.ts'
import type { Signer } from '#core/ports/keys.ts'
import { judge } from '../small-chain.ts'
import { documentedRules } from './documented-rules.ts'
import { makeKit, type Kit } from './kit.ts'
import { mutationsOf, SPECIMENS, type Specimen } from './specimens.ts'

let kit: Kit
beforeAll(async () => {
  kit = await makeKit(53)
})

async function ruleFor(parent: Link | null, payload: Json, author: Signer): Promise<string | null> {
  const compact = await signJws('ampere-block+jws', payload, author)
  const chain = parent?.opened.chain
  const verdict = await judge(kit, parent, compact, chain)
  return isViolation(verdict) ? verdict.rule : null
}

/** The rule for each mutation, with its place; null where nothing is said. */
async function verdicts(made: Specimen): Promise<[place: string, rule: string | null][]> {
  const found: [string, string | null][] = []
  for (const [place, payload] of mutationsOf(kit, made))
    found.push([place, await ruleFor(made.parent, payload, made.author)])
  return found
}

describe.each(Object.keys(SPECIMENS))('every place of a block that is a %s', (name) => {
  it('is bound by a rule of the protocol, whoever of its authors signs another value', async () => {
    const made = await SPECIMENS[name]?.(kit)
    if (!made) throw new Error('no such specimen')
    expect(isViolation(await judge(kit, made.parent, made.compact, made.parent?.opened.chain))).toBe(false)
    const found = await verdicts(made)
    expect(found.length).toBeGreaterThan(60)
    const free = found.filter(([, rule]) => rule === null).map(([place]) => place)
    expect([...new Set(free)].toSorted(undefined)).toEqual([...made.free].toSorted(undefined))
    const known = documentedRules()
    expect(found.filter(([, rule]) => rule !== null && !known.includes(rule))).toEqual([])
  })
})
