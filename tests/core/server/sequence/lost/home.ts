// SPDX-License-Identifier: Apache-2.0
import { countCalls } from '#adapters/around/counts.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { canonicalBytes } from '#core/bytes/canonical-json.ts'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId, type Digest } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { select } from '#core/ports/needs.ts'
import { REPAIR_NEEDS } from '#core/server/repair/needs.ts'
import { repairLog } from '#core/server/repair/repair-log.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import { dirtyShard, markOf } from '#core/server/store/attempt.ts'
import { instanceRecords, makeSigner, ORIGIN, testDeployment } from '#tests/deployment.ts'
import { entry } from '../scene.ts'
import { expectedOf, wholeLog } from '../whole-log.ts'

export const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }

/** A record whose blocks were logged one by one, another one logged last, and nothing that is not logged. */
export async function loggedOneByOne(blocks: number) {
  const world = await testDeployment(['hospital-a'])
  const a = world.connect('hospital-a')
  const { platform, counts, reset } = countCalls(world.platform)
  const sequencer = async () => createSequencer(await select(platform, SEQUENCER_NEEDS), world.home)
  const own = await sequencer()
  const { record, access } = await createRecord(a, HOME, ['general'])
  await own.run()
  const append = async (text: string) => {
    await a.append(record, [entry(text)])
    world.clock.now += 1000
  }
  for (let i = 0; i < blocks; i++) {
    await append(String(i))
    await own.run()
  }
  // The rows of the last commit are stored again by whoever begins: those of another record.
  const other = await createRecord(a, HOME, ['general'])
  await own.run()
  const chains = [record, access, other.record, other.access]
  return {
    world,
    a,
    own,
    record,
    other,
    sequencer,
    append,
    counts,
    reset,
    log: async () => wholeLog(world.platform, await expectedOf(world.platform, world.registryId, chains)),
    repair: async () => repairLog(await select(world.platform, REPAIR_NEEDS), world.home, world.logTrust),
    lose: async (chain: ChainId | Digest, rows: number) => {
      const leaves = world.platform.table('leaves')
      const newest = await leaves.range(chain, { reverse: true, limit: rows })
      for (const { key, version } of newest) await leaves.swap(chain, key, version, null)
      return newest.length
    },
    /** Takes the newest blocks of a chain away; what it answers puts them back. */
    take: async (chain: ChainId, rows: number) => {
      const stored = world.platform.table('blocks')
      const newest = await stored.range(chain, { reverse: true, limit: rows })
      for (const { key, version } of newest) await stored.swap(chain, key, version, null)
      return async () => {
        for (const { key, value } of newest) await stored.insert(chain, key, value)
      }
    },
    /** Changes the row of the committed tree, as whoever can write the table could. */
    changeTree: async (changed: Readonly<Record<string, unknown>>) => {
      const checkpoints = world.platform.table('checkpoints')
      const row = await checkpoints.get('log', 'tree')
      const value = { ...JSON.parse(fromUtf8(row?.value ?? utf8('{}'))), ...changed }
      await checkpoints.swap('log', 'tree', row?.version ?? null, canonicalBytes(value))
    },
    /** A mark for the newest block of a chain, as sending it again makes one. */
    markAgain: async (chain: ChainId = record) => {
      const [newest] = await world.platform.table('blocks').range(chain, { reverse: true, limit: 1 })
      const mark = markOf(parseBlock(fromUtf8(newest?.value ?? utf8(''))), world.clock.now)
      await world.platform.table('dirty').insert(dirtyShard(chain), mark.key, mark.value)
    },
    changeRegistry: async () => {
      const { id } = world.institution('hospital-a')
      const { instance, key } = instanceRecords('hospital-a-9', id, await makeSigner(world.random), [])
      await world.change('hospital-a', [{ act: 'enrol', instance, key }])
    },
    marks: async () => (await world.platform.table('dirty').range(record.slice(0, 1))).length,
  }
}
