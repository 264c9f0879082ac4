// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fromUtf8, toBase64url } from '#core/bytes/encoding.ts'
import type { OpenedJws } from '#core/block/jws.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { leafHash, nodeHash } from '#core/log/merkle.ts'
import { select } from '#core/ports/needs.ts'
import { auditLog } from '#core/server/audit/log/audit-log.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import { dirtyShard, markOf } from '#core/server/store/attempt.ts'
import { heightKey } from '#core/server/store/rows.ts'
import { START_MS } from '#tests/deployment.ts'
import { cpuMicros, figure, inTurn, perSecond, ratios, time, type Bench, type Sample } from '../measure.ts'
import { durableDeployment, inFolder, INSTITUTION, localPlatform } from '../worlds/durable.ts'
import { insertPrepared, newChain } from '../worlds/prepared-chain.ts'
import { verifyAll } from '../worlds/raw-signatures.ts'
import { storeSyntheticLog } from '../worlds/synthetic-log.ts'

const LEAVES = 1_000_000
const FEWER = 100_000
const BLOCKS = 10_000
const AUDIT_ROUNDS = 5
const CHILD = join(import.meta.dirname, '../children/audit-log.ts')

export const bench: Bench = {
  question: 'How fast is a log of 1,000,000 leaves audited, and in how much memory?',
  run: () =>
    inFolder(async (folder) => {
      const large = await makeLog(join(folder, 'large'), LEAVES)
      const small = await makeLog(join(folder, 'small'), FEWER)
      const whole: Child[] = []
      const fewer: Child[] = []
      const floor: Sample[] = []
      for (let round = 0; round < AUDIT_ROUNDS; round++) {
        whole.push(await audited(large))
        fewer.push(await audited(small))
        floor.push(await time(async () => hashAll(FEWER)))
      }
      const leaves = perSecond(LEAVES, whole)
      const hashes = perSecond(FEWER, floor)
      return {
        sizes: `${LEAVES} leaves of no block in a local data folder, audited by a process of its own, and ${FEWER}; ${BLOCKS} blocks of one chain, logged by a sequencer; ${AUDIT_ROUNDS} rounds`,
        figures: [
          figure('log: bundles read, hashed, tiles compared, root', 'leaves/s', leaves, { atLeast: 150_000 }),
          figure('floor: as many leaf and node hashes', 'leaves/s', hashes),
          figure('ratio to the floor', '', ratios(leaves, hashes), { atLeast: 0.5 }),
          figure('CPU per leaf', 'us', cpuMicros(LEAVES, whole)),
          figure(
            `growth of peak memory from ${FEWER} to ${LEAVES} leaves`,
            'MB',
            whole.map(({ peakMb }, i) => peakMb - (fewer[i]?.peakMb ?? Number.NaN)),
            { atMost: 64 },
          ),
          ...(await blockFigures(join(folder, 'blocks'))),
        ],
        doesNotShow:
          'an audit of the chains themselves (bench verify); stores beyond a network; a cold disk.',
      }
    }),
}

interface Log {
  readonly folder: string
  readonly size: number
  readonly root: string
}

interface Child extends Sample {
  readonly peakMb: number
  readonly root: string
}

async function makeLog(folder: string, size: number): Promise<Log> {
  const platform = localPlatform(folder)
  const root = toBase64url(await storeSyntheticLog(platform.objects('log'), size))
  await platform.close()
  return { folder, size, root }
}

async function audited({ folder, size, root }: Log): Promise<Child> {
  const args = ['--disable-warning=ExperimentalWarning', CHILD, folder, String(size)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const child = JSON.parse(stdout) as Child
  if (child.root !== root) throw new Error('the audit came to another root')
  return child
}

function hashAll(count: number): void {
  const entry = new Uint8Array(65).fill(1)
  const sibling = new Uint8Array(32)
  for (let i = 0; i < count; i++) {
    new DataView(entry.buffer).setUint32(1, i)
    nodeHash(leafHash(entry), sibling)
  }
}

async function blockFigures(folder: string) {
  const world = await durableDeployment(folder)
  const blocks = world.platform.table('blocks')
  const replica = await newChain(world)
  const { instance } = world.institution(INSTITUTION)
  await insertPrepared(blocks, replica, instance, BLOCKS - 1)
  const signatures: OpenedJws[] = []
  for (let from = 0; from < BLOCKS; from += 1000)
    for (const { value } of await blocks.range(replica.chain, { from: heightKey(from) })) {
      const parsed = parseBlock(fromUtf8(value))
      signatures.push(parsed.jws)
      const mark = markOf(parsed, START_MS)
      await world.platform.table('dirty').insert(dirtyShard(replica.chain), mark.key, mark.value)
    }
  const sequencer = createSequencer(await select(world.platform, SEQUENCER_NEEDS), world.home)
  while ((await sequencer.run()).outcome !== 'idle');
  const ports = await select(world.platform, AUDITOR_NEEDS)
  const samples = await inTurn(
    {
      ours: async () => {
        const { report } = await auditLog(ports, world.home, world.logTrust)
        if (report.blocks < BLOCKS || report.findings.length > 0) throw new Error('the log is not in order')
      },
      floor: () => verifyAll(instance.publicKey, signatures),
    },
    AUDIT_ROUNDS,
  )
  await world.platform.close()
  const [ours, raw] = [perSecond(BLOCKS, samples.ours), perSecond(BLOCKS, samples.floor)]
  return [
    figure('blocks and states: a whole audit of a log with its blocks', 'blocks/s', ours),
    figure('floor: their signatures by WebCrypto alone', 'blocks/s', raw),
    figure('ratio to the floor', '', ratios(ours, raw)),
  ]
}
