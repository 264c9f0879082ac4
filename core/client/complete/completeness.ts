// SPDX-License-Identifier: Apache-2.0
import { leafLabel } from '../../block/leaf.ts'
import { toBase64url } from '../../bytes/encoding.ts'
import type { Digest } from '../../bytes/ids.ts'
import { isAmpereError } from '../../errors.ts'
import type { Policy } from '../../log/policy/policy.ts'
import type { Connection } from '../connect.ts'
import type { Replica } from '../read/replica.ts'
import type { LogView } from '../receipt/judge-blocks.ts'
import { readReceipts } from '../receipt/read-receipts.ts'
import { askMonitor, type Said } from './ask-monitor.ts'

/** Why nobody can say as of when a record is complete; null when somebody can. */
export type NotComplete =
  /** No monitor is pinned. */
  | 'no-monitor'
  /** No policy with a quorum is pinned: nobody would say when a tree was seen. */
  | 'no-quorum'
  /** This reader was not given the label key of the current epoch, and cannot name the next block. */
  | 'no-label-key'
  /** The newest block has no receipt with the quorum's cosignatures yet. */
  | 'head-not-witnessed'
  /** Fewer monitors than are needed say so, of trees that have the quorum and hold the newest block. */
  | 'too-few'
  /** The record grows while it is asked about. */
  | 'growing'
  /** A monitor has a later block than the home shows. */
  | 'withheld'

/** What one monitor said. */
export interface MonitorWord {
  readonly origin: string
  /** `unusable`: absent, from a tree that the quorum did not cosign or that does not hold the newest block. */
  readonly says: 'absent' | 'present' | 'unusable' | 'failed'
  /** When witnesses last saw the tree of which it says that, in ms since 1970; null where that is not known. */
  readonly seenMs: number | null
  /** Why it failed; empty when it did not. */
  readonly detail: string
}

/** As of when a record has no block beyond the newest one that the home shows. */
export interface Completeness {
  /** Height of that block. */
  readonly height: number
  /** In ms since 1970; null when it is not shown. */
  readonly asOfMs: number | null
  readonly why: NotComplete | null
  readonly words: readonly MonitorWord[]
}

/** How often the record is read again because it grew in between. */
const MAX_ATTEMPTS = 5

/**
 * Asks the pinned monitors whether the log of the home has a leaf for the block after the newest one. A record is
 * complete as of the time at which the pinned number of them had it absent, from trees that the quorum of the pinned
 * policy cosigned then. One that has it convicts the home of withholding, once the home, asked again, still shows no more.
 * @param log what the receipts of the replica say, of `readReceipts`
 * @throws AmpereError as reading the replica does
 */
export async function checkComplete(
  connection: Connection,
  replica: Replica,
  log: LogView | null,
): Promise<Completeness> {
  let [current, view] = [replica, log]
  for (let attempt = 0; ; attempt++) {
    const result = await askAll(connection, current, view)
    if (result.why !== 'withheld') return result
    // The monitor may have seen what was appended after the head was read: then the home shows it too.
    const next = await connection.replica(current.chain)
    if (next.head.height === current.head.height) return result
    if (attempt === MAX_ATTEMPTS) return { ...result, why: 'growing' }
    view = await readReceipts(connection, next)
    current = next
  }
}

async function askAll(connection: Connection, replica: Replica, log: LogView | null): Promise<Completeness> {
  const { policy, monitors, origin: home } = connection.ports.pins
  const { height } = replica.head
  const not = (why: NotComplete, words: readonly MonitorWord[] = []) => ({ height, asOfMs: null, why, words })
  const origins = [...new Set(monitors?.origins)].filter((origin) => origin !== home)
  if (!monitors || origins.length === 0) return not('no-monitor')
  if (!policy || policy.quorum === null) return not('no-quorum')
  const { labelKey } = await connection.keyring(replica)
  if (!labelKey) return not('no-label-key')
  const label = toBase64url(leafLabel(labelKey, replica.chain, height + 1)) as Digest
  const receipt = log?.receipts[height]
  const at = receipt?.level === 'witnessed' ? receipt.index : null
  const words = await Promise.all(origins.map((origin) => ask(connection, origin, policy, label, at)))
  if (words.some(({ says }) => says === 'present')) return not('withheld', words)
  if (at === null) return not('head-not-witnessed', words)
  const asOfMs = asOf(words, monitors.need, connection.ports.now())
  return asOfMs === null ? not('too-few', words) : { height, asOfMs, why: null, words }
}

async function ask(
  connection: Connection,
  origin: string,
  policy: Policy,
  label: Digest,
  headIndex: number | null,
): Promise<MonitorWord> {
  try {
    const said = await askMonitor(connection, origin, policy, label)
    return { origin, says: wordFor(said, headIndex), seenMs: said.seenMs, detail: '' }
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return { origin, says: 'failed', seenMs: null, detail: error.message }
  }
}

function wordFor({ index, size, seenMs }: Said, headIndex: number | null): MonitorWord['says'] {
  if (index !== null) return 'present'
  // A tree that does not hold the newest block says nothing of the one after it.
  return seenMs !== null && headIndex !== null && headIndex < size ? 'absent' : 'unusable'
}

/** The earliest time among as many as are needed, of those that speak of the latest; never in the future. */
function asOf(words: readonly MonitorWord[], need: number, nowMs: number): number | null {
  const times = words.flatMap(({ says, seenMs }) => (says === 'absent' && seenMs !== null ? [seenMs] : []))
  const time = times.toSorted((a, b) => b - a)[Math.max(need, 1) - 1]
  return time === undefined ? null : Math.min(time, nowMs)
}
