// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { logOriginOf } from '#core/api/log.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import { logKeyOfJwk } from '#core/log/note/key.ts'
import { select, type ObjectsName, type Platform, type TableName } from '#core/ports/needs.ts'
import { auditLog, type LogAuditOptions } from '#core/server/audit/log/audit-log.ts'
import type { LogTrust } from '#core/server/audit/log/needs.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer, type Sequencer } from '#core/server/sequence/sequencer.ts'
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
  const trust = await trustOf(world.platform)
  return { world, a: world.connect('hospital-a'), sequencer, trust, stored: made.stored }
}

/** The log's own public keys, and nobody who witnesses. */
export async function trustOf(platform: Platform): Promise<LogTrust> {
  const origin = logOriginOf(ORIGIN)
  const keys = [
    logKeyOfJwk(origin, 'Ed25519', (await platform.signer('log')).publicKey),
    logKeyOfJwk(origin, 'cosignature-ML-DSA-44', (await platform.signer('log-quantum')).publicKey),
  ]
  return { keys, policy: null }
}

export async function auditNow(
  { world, trust }: Pick<Logged, 'world' | 'trust'>,
  options: LogAuditOptions = {},
) {
  return auditLog(await select(world.platform, AUDITOR_NEEDS), world.home, trust, options)
}

/** Appends to a chain and logs until the log has that many leaves, a few at a time. */
export async function growTo({ a, sequencer }: Logged, size: number, step: number): Promise<ChainId | null> {
  let { size: now } = await sequencer.run()
  if (now >= size) return null
  const { record } = await createRecord(a, HOME, ['general'])
  ;({ size: now } = await sequencer.run())
  while (now < size) {
    for (let i = now; i < Math.min(size, now + step); i++) await a.append(record, [entry(String(i))])
    ;({ size: now } = await sequencer.run())
  }
  return record
}
