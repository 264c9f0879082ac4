// SPDX-License-Identifier: Apache-2.0
import { asInstitutionId, type ChainId, type Digest } from '#core/bytes/ids.ts'
import { toTimestamp, type Timestamp } from '#core/bytes/timestamp.ts'
import type { Append } from '#core/api/append.ts'
import { parseHead, signHead } from '#core/api/head.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import type { Block } from '#core/block/block.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { erasableFrom, requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { dirtyShard, markOf } from '#core/server/store/attempt.ts'
import type { Platform } from '#core/ports/needs.ts'
import { formatPolicy } from '#core/log/policy/policy.ts'
import { witnessedWorld, type WitnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { fileOf, linesOf, withoutWitnesses } from './export-mutations.ts'
import { collude, entry, forgery, HOME, revokedScene, type RevokedScene } from '#tests/e2e/revoked-scene.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** A record whose times somebody bent, as a reader sees it and as a file shows it. */
export interface TimedRecord {
  /** Of its blocks by height, and `HEIGHT STATUS CHECK` of each problem, for a reader with the policy. */
  readonly statuses: readonly string[]
  readonly problems: readonly string[]
  readonly bytes: Uint8Array
  readonly registry: Digest
  readonly policy: string
}

/**
 * A record as it is.
 * @param headTime what the home says in the file that the time is; the right one where it is left out
 */
export async function seen(
  { world, policy }: WitnessedWorld,
  record: ChainId,
  headTime?: Timestamp,
): Promise<TimedRecord> {
  const reader = world.connect('hospital-a', { policy })
  const view = await readReceipts(reader, await reader.replica(record))
  if (!view) throw new Error('a policy is expected')
  return {
    statuses: view.statuses,
    problems: view.problems.map(({ height, status, rule }) => `${height} ${status} ${rule}`),
    bytes: await redated(world, await exportRecord(world.connect('hospital-a'), record), headTime),
    registry: world.registryId,
    policy: formatPolicy(policy),
  }
}

/** An export, for which the home signed its head statement with another time. */
async function redated(
  { platform }: WitnessedWorld['world'],
  bytes: Uint8Array,
  time: Timestamp | undefined,
): Promise<Uint8Array> {
  if (time === undefined) return bytes
  const lines = linesOf(fromUtf8(bytes)).map(async (line) => {
    if (!('head' in line)) return line
    const { head } = parseHead(String(line['head']))
    return { head: await signHead({ ...head, time }, await platform.signer('head')) }
  })
  return fileOf(await Promise.all(lines))
}

/** What the home does without looking: it stores a block, and marks it to be logged. */
async function acceptAll(scene: RevokedScene, append: Append, nowMs: number): Promise<void> {
  await collude(scene, append)
  const mark = markOf(parseBlock(append.block), nowMs)
  await scene.world.platform.table('dirty').insert(dirtyShard(scene.record), mark.key, mark.value)
}

/** The blocks of the registry after its first are not there for a sequencer while `isHidden`. */
function hiding(shown: { isHidden: boolean }) {
  return (base: Platform): Platform => ({
    ...base,
    table: (name) => {
      const table = base.table(name)
      if (name !== 'registry') return table
      return {
        get: (partition, key) => table.get(partition, key),
        insert: (...row) => table.insert(...row),
        swap: (...row) => table.swap(...row),
        range: async (partition, range) => (shown.isHidden ? [] : table.range(partition, range)),
      }
    },
  })
}

/**
 * A home logs a revocation ten days late, and five days before that what the key still signed.
 * @param headMs how long after the revocation the home says that it gives the file; the truth where it is left out
 */
export async function lateRevocation(headMs?: number): Promise<TimedRecord> {
  const shown = { isHidden: false }
  const at = await witnessedWorld(['w1', 'w2'], 2, hiding(shown))
  const { world, clock } = at
  const tend = async (isHidden: boolean) => {
    shown.isHidden = isHidden
    await world.tendLog()
    shown.isHidden = false
  }
  await world.tendLog()
  const scene = await revokedScene(world, null, ['while the key was good'])
  const revokedMs = clock.now
  await tend(true)
  clock.now += 5 * DAY_MS
  await acceptAll(scene, await forgery(scene, { registry: scene.before }), clock.now)
  await tend(true)
  clock.now += 5 * DAY_MS
  await tend(false)
  clock.now += DAY_MS
  return seen(at, scene.record, headMs === undefined ? headMs : toTimestamp(revokedMs + headMs))
}

/** A home does not log what a revoked key signed, which says that it is of `time`, or of its parent's. */
export async function unloggedForgery(time: Timestamp | null): Promise<TimedRecord> {
  const at = await witnessedWorld(['w1', 'w2'], 2)
  const { world, clock } = at
  const scene = await revokedScene(world)
  await world.tendLog()
  clock.now += HOUR_MS
  const dated: Partial<Block> = time === null ? {} : { time }
  await collude(scene, await forgery(scene, { registry: scene.before, ...dated }))
  clock.now += 30 * DAY_MS
  return seen(at, scene.record)
}

/** A home logs at once a block that says that it is of `aheadMs` later. */
export async function datedAhead(aheadMs: number): Promise<TimedRecord> {
  const at = await witnessedWorld(['w1', 'w2'], 2)
  const { world, clock } = at
  const scene = await revokedScene(world)
  await world.tendLog()
  const dated = { time: toTimestamp(clock.now + aheadMs) }
  const { instance } = world.institution('hospital-a')
  await acceptAll(scene, await forgery(scene, dated, instance), clock.now)
  await world.tendLog()
  clock.now += 400 * DAY_MS
  return seen(at, scene.record)
}

/**
 * A block by a grant of a day, whose time is within it, reaches log and witnesses `afterMs` after its end.
 * @param headMs how long after that end the home says that it gives the file; the truth where it is left out
 */
export async function endedGrant(afterMs: number, headMs?: number): Promise<TimedRecord> {
  const at = await witnessedWorld(['w1', 'w2'], 2, undefined, ['hospital-a', 'hospital-b'])
  const { world, clock } = at
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  const endMs = clock.now + DAY_MS
  const until = toTimestamp(endMs)
  await shareRecord(a, record, {
    institution: asInstitutionId('hospital-b'),
    rights: ['append', 'read'],
    until,
  })
  await world.connect('hospital-b').append(record, [entry('within the grant')])
  await world.tendLog()
  clock.now += DAY_MS - 1000
  await world.connect('hospital-b').append(record, [entry('within the grant, by its time')])
  clock.now += 1000 + afterMs
  await world.tendLog()
  clock.now += DAY_MS
  return seen(at, record, headMs === undefined ? headMs : toTimestamp(endMs + headMs))
}

/** A log that signed one tree with a clock that was `aheadMs` ahead, and then, with a right one, has a block that it did not log yet. */
export async function loggedAhead(aheadMs: number): Promise<TimedRecord> {
  const at = await witnessedWorld(['w1', 'w2'], 2)
  const { world, clock } = at
  const { record } = await createRecord(world.connect('hospital-a'), HOME, ['general'])
  clock.now += aheadMs
  await world.tendLog()
  clock.now -= aheadMs
  await world.connect('hospital-a').append(record, [entry('just now')])
  return seen(at, record)
}

/** An ended grant, as a home shows it that takes all cosignatures out of the file. */
export async function endedGrantUnseen(afterMs: number, headMs: number): Promise<TimedRecord> {
  const { bytes, ...record } = await endedGrant(afterMs, headMs)
  return { ...record, bytes: fileOf(withoutWitnesses(linesOf(fromUtf8(bytes)))) }
}

/**
 * An erasure whose blocks say that its delay of 72 h passed. Witnesses see its request `askedMs` after it was signed,
 * and its completion `doneMs` after that: before the 72 h where home and controller agree on what time it is.
 */
export async function erasedAfter(askedMs: number, doneMs: number): Promise<TimedRecord> {
  const waiting = await waitingErasure(askedMs < doneMs ? askedMs : null)
  return waiting.completed({ completedMs: 72 * HOUR_MS, seenMs: doneMs })
}

/** An erasure that no witness sees completed, though the log signs it a minute later, and which is read `afterMs` after it. */
export async function erasedUnseen(afterMs: number): Promise<TimedRecord> {
  const waiting = await waitingErasure(0)
  const completedMs = 72 * HOUR_MS
  const seenMs = completedMs + Math.min(MINUTE_MS, afterMs)
  return waiting.completed({ completedMs, seenMs, isUnseen: true, readMs: completedMs + afterMs })
}

/** In milliseconds after the request was signed. */
interface CompletedWhen {
  readonly completedMs: number
  /** When witnesses see it, or the log alone signs it. */
  readonly seenMs: number
  readonly isUnseen?: boolean
  /** When it is read. */
  readonly readMs?: number
  /** What the home says in the file that the time is. */
  readonly headMs?: number
}

/** An erasure that waits for its delay of 72 h; witnesses saw its request `askedMs` after it was signed, or not at all. */
export async function waitingErasure(askedMs: number | null) {
  const at = await witnessedWorld(['w1', 'w2'], 2)
  const { world, clock, policy } = at
  const { instance, second } = world.institution('hospital-a')
  const a = world.connect('hospital-a', { policy })
  const { record } = await createRecord(a, HOME, ['general'])
  const entries = await a.append(record, [entry('one')])
  const what = { scope: 'entries', entries, ground: 'misfiled' } as const
  const { block } = await requestErasure(a, record, what, { instances: [instance, second] })
  const { height } = block
  const signedMs = clock.now
  if (askedMs !== null) {
    clock.now = signedMs + askedMs
    await world.tendLog()
  }
  return {
    /** How long after it was signed a client says that it can be completed; null when it cannot say. */
    erasableMs: async (): Promise<number | null> => {
      const replica = await a.replica(record)
      const pending = replica.link.state.pending.find((item) => item.height === height)
      const from = pending ? await erasableFrom(a, replica, pending) : null
      return from === null ? null : from - signedMs
    },
    /** It is completed `completedMs` after it was signed, which witnesses see `seenMs` after that. */
    completed: async (when: CompletedWhen): Promise<TimedRecord> => {
      clock.now = signedMs + when.completedMs
      await settleErasure(a, record, height, 'complete')
      clock.now = signedMs + when.seenMs
      if (when.isUnseen) at.between.clear()
      await world.tendLog()
      const { readMs = 200 * HOUR_MS, headMs } = when
      clock.now = signedMs + readMs
      return seen(at, record, headMs === undefined ? headMs : toTimestamp(signedMs + headMs))
    },
  }
}
