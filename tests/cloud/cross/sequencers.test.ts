// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Platform } from '#core/ports/needs.ts'
import { listEvidence } from '#core/server/witness/evidence.ts'
import { logOriginOf } from '#core/api/log.ts'
import { loadTree } from '#core/server/sequence/tree.ts'
import type { Apart } from '#tests/functions/host/apart.ts'
import { entry } from '#tests/fault/each-call.ts'
import { describeOn } from '../aws/stack.ts'
import { cloudHomes, type CloudHome, type Homes } from './homes.ts'

const ROUNDS = 4
const WRITERS = 3

/** Each of these at once, or after the other: whichever it is, all are tried, and what one of them lost the other has done. */
async function race(sequencers: readonly Apart[]): Promise<void> {
  const outcomes = await Promise.allSettled(sequencers.map((each) => each.sequence()))
  const codes = outcomes.flatMap((one) =>
    one.status === 'rejected' ? [(one.reason as { code?: string }).code] : [],
  )
  expect(codes.filter((code) => code !== 'STORE_UNAVAILABLE')).toEqual([])
}

/** What happens before a sequencer stages what it would commit, once. */
interface Late {
  first: (() => Promise<void>) | null
}

function lateIn(late: Late): (platform: Platform) => Platform {
  return (platform) => ({
    ...platform,
    objects: (name) => {
      const objects = platform.objects(name)
      if (name !== 'staging') return objects
      const store: typeof objects.store = async (...given) => {
        const { first } = late
        late.first = null
        await first?.()
        return objects.store(...given)
      }
      return { ...objects, store }
    },
  })
}

async function append({ connect }: CloudHome, record: ChainId | undefined, round: number): Promise<void> {
  if (record !== undefined) await connect().append(record, [entry(`round ${round}`)])
}

describeOn('MiniStack', 'two sequencers on two deployments of one store', () => {
  const held: { homes?: Homes } = {}
  const both = (): Homes => {
    if (!held.homes) throw new Error('the homes are not there')
    return held.homes
  }
  beforeAll(async () => {
    held.homes = await cloudHomes()
    for (const { roles } of [both().aws, both().azure]) await roles.sequence()
    both().elapse(1000)
  }, 120_000)
  afterAll(async () => held.homes?.close())

  const records = async ({ connect, config, origin }: CloudHome): Promise<readonly ChainId[]> => {
    const home = { deployment: config.deployment, origin }
    const made: ChainId[] = []
    for (let i = 0; i < WRITERS; i++) made.push((await createRecord(connect(), home, ['general'])).record)
    return made
  }

  it.each(['aws', 'azure'] as const)('never fork on %s, whoever is first', async (at) => {
    const [home, other] = at === 'aws' ? [both().aws, both().azure] : [both().azure, both().aws]
    const late: Late = { first: null }
    const sequencers = [home.roles, await home.openRoles(lateIn(late))]
    const chains = await records(home)
    const sizes: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      // Marked before, so that both have the same to log.
      await Promise.all(chains.slice(1).map((record) => append(home, record, round)))
      const more = () => append(home, chains[0], round)
      if (round % 2 === 0) await Promise.all([race(sequencers), more()])
      else {
        // Read before, and committed after, the other one logged the same and more.
        late.first = async () => {
          await more()
          await race(sequencers.slice(0, 1))
        }
        await race(sequencers.slice(1))
        expect(late.first).toBeNull()
      }
      const tree = await loadTree(home.platform.table('checkpoints'))
      sizes.push(tree?.tree.checkpoint.size ?? 0)
    }
    await race(sequencers)
    await home.roles.sequence()
    for (const record of chains) {
      const { opened } = await home.connect().read(record)
      expect(opened).toHaveLength(ROUNDS)
    }
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b))
    // Its witness in the other cloud saw each tree that was published, and none that did not continue the one before.
    const witness = { tables: { witness: other.platform.table('witness') } }
    expect(await listEvidence(witness, logOriginOf(home.origin))).toEqual([])
    home.said.length = 0
    await home.roles.audit()
    await home.roles.sequence()
    expect(home.said.map(({ event }) => event)).toContain('log-audited')
    expect(home.said.filter(({ event }) => /damaged|behind|ahead|skips|failed/.test(event))).toEqual([])
  })
})
