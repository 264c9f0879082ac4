// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { killAfter } from '#adapters/around/faults.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import type { WriteTable } from '#core/ports/table.ts'
import {
  failEachCall,
  faultyDeployment,
  FAULTS,
  findings,
  type Act,
  type Faulty,
} from '#tests/fault/each-call.ts'
import { entry, epochOf, hospital, SLICE_MS, type Hospital, type Rotating } from './hospital.ts'

/** Kills are tried after so many calls each; SLOW=1 tries each. */
const KILL_EVERY = process.env['SLOW'] === '1' ? 1 : 4

interface Prepared {
  readonly at: Hospital
  readonly table: WriteTable
  readonly chains: readonly ChainId[]
}

/** A bridge's table of its own within one that can fail. */
function part(table: WriteTable, name: string): WriteTable {
  return {
    get: (partition, key) => table.get(`${name}/${partition}`, key),
    range: (partition, range) => table.range(`${name}/${partition}`, range),
    insert: (partition, key, value) => table.insert(`${name}/${partition}`, key, value),
    swap: (partition, key, expected, next) => table.swap(`${name}/${partition}`, key, expected, next),
  }
}

let parts = 0

/** Two records for which new keys are due, because a grant has ended. */
async function prepare({ world, faults }: Faulty): Promise<Prepared> {
  faults.plan(() => null)
  const table = part(world.platform.table('bridge'), String(parts++))
  const at = await hospital(world, table)
  const chains = [await at.record('p1'), await at.record('p2')]
  const { connection } = at.open()
  const until = toTimestamp(world.clock.now + 60_000)
  const institution = world.institution('hospital-b').id
  for (const chain of chains) {
    await shareRecord(connection, chain, { institution, rights: ['read'], until })
    await connection.append(chain, [entry('before')])
  }
  world.clock.now += 60_000
  return { at, table, chains }
}

/** Until it is done, by processes that each begin anew; what fails is thrown. */
async function runToEnd({ at, table }: Pick<Prepared, 'at' | 'table'>): Promise<void> {
  for (let process = 0; process < 8; process++) {
    const { rotation }: Rotating = at.open(at.world.connect('hospital-a'), table)
    const { outcome } = await rotation.slice(at.world.clock.now + SLICE_MS)
    const { row, open } = await rotation.status()
    if (outcome !== 'busy' && row.endedMs !== null && open.length === 0) return
    // The turn of one that died ends, and what was not reached is tried again.
    at.world.clock.now += 300_000
  }
  throw new Error('the rotation does not come to an end')
}

const act: Act<Prepared> = {
  prepare,
  run: runToEnd,
  check: async ({ at, table, chains }) => ({
    epochs: await Promise.all(chains.map((chain) => epochOf(at, chain))),
    grants: await Promise.all(
      chains.map(async (chain) => {
        const { state } = (await at.world.connect('hospital-a').replica(chain)).link
        return state.grants.map(({ institution }) => String(institution))
      }),
    ),
    state: (await at.open(at.world.connect('hospital-a'), table).rotation.status()).state,
  }),
  expected: { epochs: [2, 2], grants: [['hospital-a'], ['hospital-a']], state: 'done' },
}

describe('a rotation of all records', () => {
  it.each(FAULTS)(
    'gives each new keys exactly once when any call fails (%s)',
    async (fault) => {
      expect(await failEachCall(act, fault)).toBeGreaterThan(5)
    },
    600_000,
  )

  it('gives each new keys exactly once when it is killed after any call', async () => {
    const faulty = await faultyDeployment()
    const { faults, world } = faulty
    const clean = await prepare(faulty)
    faults.plan(() => null)
    await runToEnd(clean)
    const calls = faults.calls().length
    for (let k = 0; k < calls; k += KILL_EVERY) {
      const prepared = await prepare(faulty)
      faults.plan(killAfter(k))
      const { at, table } = prepared
      await at
        .open(world.connect('hospital-a'), table)
        .run()
        .catch(() => 'killed')
      faults.plan(() => null)
      world.clock.now += 300_000
      await runToEnd(prepared)
      expect({ k, found: await act.check(prepared) }).toEqual({ k, found: act.expected })
    }
    expect(await findings(world)).toEqual([])
  }, 600_000)
})
