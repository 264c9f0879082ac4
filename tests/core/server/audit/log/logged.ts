// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { digestOf } from '#core/crypto/hash.ts'
import type { Verifiers } from '#core/crypto/signature.ts'
import { frame } from '#core/bytes/frame.ts'
import type { Replica } from '#core/client/read/replica.ts'
import type { Connection } from '#core/client/connect.ts'
import { select, type ObjectsName, type Platform, type TableName } from '#core/ports/needs.ts'
import { auditLog, type LogAuditOptions } from '#core/server/audit/log/audit-log.ts'
import type { LogTrust } from '#core/server/audit/log/needs.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer, type Sequencer } from '#core/server/sequence/sequencer.ts'
import { dirtyShard, markOf } from '#core/server/store/attempt.ts'
import { heightKey } from '#core/server/store/rows.ts'
import { createCosigner } from '#core/server/cosign/cosigner.ts'
import { COSIGNER_NEEDS } from '#core/server/cosign/needs.ts'
import { witnessedWorld } from '../../cosign/witnessed-world.ts'
import { insertPrepared, newChain } from '#tests/bench/worlds/prepared-chain.ts'
import { ORIGIN, testDeployment, type TestDeployment, type TestOptions } from '#tests/deployment.ts'

export const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
export const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** A home with a log, and everything that it stores by name. */
export interface Logged {
  readonly world: TestDeployment
  readonly a: Connection
  readonly sequencer: Sequencer
  readonly trust: LogTrust
  readonly stored: Stored
}

/** What was stored, as it is now, to be damaged and put back. */
export interface Stored {
  /** `table/partition/key` of rows, and paths of the log's objects. */
  readonly names: () => readonly string[]
  readonly read: (name: string) => Promise<Uint8Array | null>
  readonly write: (name: string, bytes: Uint8Array | null) => Promise<void>
}

/** The tables that the log consists of, beside its objects. */
const LOG_TABLES: readonly TableName[] = ['leaves', 'checkpoints']

/** Remembers the names of what is stored of the log. */
function remembering(base: Platform): { platform: Platform; stored: Stored } {
  const rows = new Map<string, readonly [TableName, string, string]>()
  const objects = new Set<string>()
  const table = (name: TableName): ReturnType<Platform['table']> => {
    const own = base.table(name)
    if (!LOG_TABLES.includes(name)) return own
    const note = (partition: string, key: string) =>
      rows.set(`${name}/${partition}/${key}`, [name, partition, key])
    return {
      get: (partition, key) => own.get(partition, key),
      range: (partition, range) => own.range(partition, range),
      insert: (partition, key, value) => {
        note(partition, key)
        return own.insert(partition, key, value)
      },
      swap: (partition, key, expected, next) => {
        note(partition, key)
        return own.swap(partition, key, expected, next)
      },
    }
  }
  const log = base.objects('log')
  const platform: Platform = {
    ...base,
    table,
    objects: (name: ObjectsName) =>
      name === 'log'
        ? {
            ...log,
            store: (path, bytes) => {
              objects.add(path)
              return log.store(path, bytes)
            },
          }
        : base.objects(name),
  }
  return {
    platform,
    stored: {
      names: () => [...rows.keys(), ...objects].toSorted(),
      read: async (name) => {
        const row = rows.get(name)
        if (row) return (await base.table(row[0]).get(row[1], row[2]))?.value ?? null
        return log.fetch(name)
      },
      write: async (name, bytes) => {
        const row = rows.get(name)
        if (row) {
          const own = base.table(row[0])
          const now = await own.get(row[1], row[2])
          if (now || bytes) await own.swap(row[1], row[2], now?.version ?? null, bytes)
          return
        }
        await log.shred(name)
        if (bytes) await log.store(name, bytes)
      },
    },
  }
}

/** A log of a few commits with two bundles, whose checkpoints a witness cosigned. */
export async function damagedLog(): Promise<Logged> {
  const made: { stored?: Stored } = {}
  const { world, policy } = await witnessedWorld(['witness'], 1, (base) => {
    const { platform, stored } = remembering(base)
    made.stored = stored
    return platform
  })
  const sequencer = createSequencer(await select(world.platform, SEQUENCER_NEEDS), world.home)
  if (!made.stored) throw new Error('the platform was not wrapped')
  const home = { ...world.home, verifiers: remembered(world.home.verifiers) }
  const at = {
    world: { ...world, home },
    a: world.connect('hospital-a'),
    sequencer,
    trust: world.logTrust,
    stored: made.stored,
  }
  const cosigner = createCosigner(await select(world.platform, COSIGNER_NEEDS), world.home, policy)
  let chain = await newChain(world)
  for (const [size, step] of [
    [6, 1],
    [254, 248],
    [258, 4],
  ] as const) {
    chain = await growTo(at, chain, size, step)
    if (size !== 254) await cosigner.run()
  }
  world.clock.now += 3_600_000
  return at
}

/** Verifies each signature once: cases ask for the same ones a hundred times, and ML-DSA-44 takes 5 ms. */
function remembered(verifiers: Verifiers): Verifiers {
  const known = new Map<string, Promise<boolean>>()
  return {
    get: async (jwk) => {
      const verifier = await verifiers.get(jwk)
      return {
        ...verifier,
        verify: (bytes, signature) => {
          const name = digestOf(frame(JSON.stringify(jwk), bytes, signature))
          const result = known.get(name) ?? verifier.verify(bytes, signature)
          known.set(name, result)
          return result
        },
      }
    },
  }
}

/** Where findings about something stored may be: it, or what it says. */
export function namesOf(name: string): readonly string[] {
  const [table, chain] = name.split('/')
  return table === 'leaves' ? [`leaves/${chain}`, `block ${chain}/`] : [name]
}

export async function logged(options: TestOptions = {}): Promise<Logged> {
  const made: { stored?: Stored } = {}
  const world = await testDeployment(['hospital-a'], {
    ...options,
    platform: (base) => {
      const { platform, stored } = remembering(options.platform?.(base) ?? base)
      made.stored = stored
      return platform
    },
  })
  const sequencer = createSequencer(await select(world.platform, SEQUENCER_NEEDS), world.home)
  if (!made.stored) throw new Error('the platform was not wrapped')
  const { logTrust: trust } = world
  return { world, a: world.connect('hospital-a'), sequencer, trust, stored: made.stored }
}

export async function auditNow(
  { world, trust }: Pick<Logged, 'world' | 'trust'>,
  options: LogAuditOptions = {},
) {
  return auditLog(await select(world.platform, AUDITOR_NEEDS), world.home, trust, options)
}

/** Grows a chain, by blocks put where a writer puts them, until the log has that many leaves; `step` with each commit. */
export async function growTo(
  { world, sequencer }: Logged,
  chain: Replica,
  size: number,
  step: number,
): Promise<Replica> {
  const blocks = world.platform.table('blocks')
  const { instance } = world.institution('hospital-a')
  let at = chain
  for (let now = (await sequencer.run()).size; now < size;) {
    const from = at.link.opened.block.height + 1
    const notes = Array.from({ length: from }) as unknown as Replica['notes']
    at = await insertPrepared(blocks, { ...at, notes }, instance, from + Math.min(step, size - now) - 1)
    for (const { value } of await blocks.range(at.chain, { from: heightKey(from) })) {
      const mark = markOf(parseBlock(fromUtf8(value)), world.clock.now)
      await world.platform.table('dirty').insert(dirtyShard(at.chain), mark.key, mark.value)
    }
    ;({ size: now } = await sequencer.run())
  }
  return at
}
