// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { asInstitutionId, type Digest } from '#core/bytes/ids.ts'
import { signJws } from '#core/block/jws.ts'
import { buildChange } from '#core/registry/build.ts'
import type { RegistryChange } from '#core/registry/block.ts'
import { createRegistryHistory, type RegistryHistory } from '#core/registry/history.ts'
import type { RegistryLink } from '#core/registry/reduce.ts'
import { recordKey } from '#core/registry/records.ts'
import { membershipRecord } from '#core/registry/rules/members.ts'
import { putRecords, recordsIn, stateRoot } from '#core/registry/state.ts'
import { seededRandom } from '#tests/deployment.ts'
import {
  apply,
  deploying,
  draftChange,
  draw,
  enrolment,
  found,
  makeMember,
  must,
  seal,
  verifiers,
  type Founded,
} from './members.ts'

let world: Founded
/** Changes by `a` that may stand in one block or in several. */
let changes: RegistryChange[]

beforeAll(async () => {
  world = await found(['a', 'b', 'c'], seededRandom(51))
  const fresh = () => draw(world.random)
  changes = [
    enrolment('a', 'a-2', await fresh()),
    { act: 'admit', institution: (await makeMember('d', world.random)).own[0] },
    deploying('a', 'home-2', 'http://two.test', await fresh()),
    enrolment('a', 'a-2', await fresh()),
    { act: 'remove', institution: asInstitutionId('c') },
    enrolment('a', 'a-3', await fresh()),
    deploying('a', 'home-2', 'http://three.test', await fresh()),
  ]
})

/** The blocks that make the changes, cut where `sizes` says, with all members that still are approving. */
async function blocksOf(sizes: readonly number[]): Promise<{ blocks: string[]; link: RegistryLink }> {
  const blocks: string[] = []
  let link = world.link
  let at = 0
  for (const size of [...sizes, changes.length]) {
    const batch = changes.slice(at, at + size)
    at += batch.length
    if (batch.length === 0) continue
    const approvers = ['a', 'b'].map((id) => world.member(id).root)
    const compact = await buildChange(world.ports, link, batch, world.member('a').root, approvers)
    blocks.push(compact)
    link = await apply(link, compact)
  }
  return { blocks, link }
}

function historyOf(pinned: Digest = world.link.place.registry): RegistryHistory {
  return createRegistryHistory(pinned, verifiers)
}
const snapshot = (history: RegistryHistory) => ({
  height: history.height(),
  place: history.link()?.place,
  root: history.link() && stateRoot(must(history.link()).state),
  records: history.link() && [...recordsIn(must(history.link()).state)],
})

describe('folding a registry', () => {
  it('gives the same state however the changes are cut into blocks', async () => {
    // All but the height of the newest change of members, which is what spends approvals.
    const rootOf = ({ state }: RegistryLink) => stateRoot(putRecords(state, [membershipRecord(0)]))
    const whole = rootOf((await blocksOf([changes.length])).link)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 7 }), async (sizes) => {
        expect(rootOf((await blocksOf(sizes)).link)).toBe(whole)
      }),
      { numRuns: 12 },
    )
  })

  it('gives the same links however often it is begun again', async () => {
    const { blocks, link } = await blocksOf([1, 1, 1, 1, 1, 1])
    const history = historyOf()
    await history.add(world.genesis)
    for (const block of blocks) await history.add(block)
    expect(history.link()?.place).toEqual(link.place)
    expect(stateRoot(must(history.link()).state)).toBe(stateRoot(link.state))
    const resumed = await apply(await apply(null, world.genesis), must(blocks[0]))
    expect(resumed.place.id).toBe(history.viewAt({ height: 1, id: resumed.place.id })?.head.id)
  })

  it('shows every record at every height as the state of that height does', async () => {
    const { blocks } = await blocksOf([1, 2, 1, 1, 1, 1])
    const history = historyOf()
    const links = [await apply(null, world.genesis)]
    await history.add(world.genesis)
    for (const block of blocks) {
      links.push(await apply(must(links.at(-1)), block))
      await history.add(block)
    }
    for (const { place, state } of links) {
      const view = must(history.viewAt({ height: place.height, id: place.id }))
      for (const record of recordsIn(state)) expect(view.get(recordKey(record))).toEqual(record)
    }
    expect(history.viewAt({ height: 0, id: must(links[1]).place.id })).toBeNull()
    expect(history.viewAt({ height: 99, id: must(links[1]).place.id })).toBeNull()
  })
})

describe('a registry history', () => {
  it('stays as it was after every kind of block that it refuses', async () => {
    const { blocks } = await blocksOf([2])
    const [first = '', second = ''] = blocks
    const history = historyOf()
    await history.add(world.genesis)
    await history.add(first)
    const before = snapshot(history)
    const link = must(history.link())
    const foreign = await found(['a'], seededRandom(52))
    const minority = draftChange(link, [{ act: 'remove', institution: asInstitutionId('b') }])
    const empty = draftChange(link, [enrolment('a', 'a-7', await draw(world.random))])
    const refused = [
      [world.genesis, 'VERIFICATION_FAILED'],
      [first, 'VERIFICATION_FAILED'],
      [foreign.genesis, 'VERIFICATION_FAILED'],
      [await seal(link, minority, world.member('a').root), 'VERIFICATION_FAILED'],
      [await signJws('ampere-registry+jws', empty, world.member('a').root), 'VERIFICATION_FAILED'],
      [await signJws('ampere-registry+jws', empty, await draw(world.random)), 'SIGNATURE_INVALID'],
      [`${second.slice(0, -4)}AAAA`, 'SIGNATURE_INVALID'],
      ['', 'JWS_MALFORMED'],
    ] as const
    for (const [block, code] of refused) {
      await expect(history.add(block)).rejects.toMatchObject({ code })
      expect(snapshot(history)).toEqual(before)
    }
    await expect(history.add(first)).rejects.toThrow(/^rule height: the registry at height 2: /)
    await history.add(second)
    expect(history.height()).toBe(2)
  })

  it('begins with the pinned genesis and no other', async () => {
    const other = await found(['a', 'b', 'c'], seededRandom(53))
    const history = historyOf()
    await expect(history.add(other.genesis)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
    await expect(history.add(other.genesis)).rejects.toThrow(/^rule registry: /)
    expect(() => history.newest()).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
    expect(history.height()).toBe(-1)
    await history.add(world.genesis)
    expect(history.newest().head).toEqual({ height: 0, id: world.link.place.registry })
  })

  it('adds one of two blocks that race for a height', async () => {
    const { blocks } = await blocksOf([1])
    const other = await blocksOf([3])
    const history = historyOf()
    await history.add(world.genesis)
    const results = await Promise.allSettled([
      history.add(must(blocks[0])),
      history.add(must(other.blocks[0])),
    ])
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(history.height()).toBe(1)
  })
})
