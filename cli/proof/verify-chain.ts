// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '#core/bytes/ids.ts'
import type { ClosedEntry } from '#core/client/client.ts'
import type { LogView } from '#core/client/receipt/judge-blocks.ts'
import { checkComplete } from '#core/client/complete/completeness.ts'
import type { Completeness } from '#core/client/complete/monitor-words.ts'
import { checkMirrored, type MirrorWord } from '#core/client/mirrored/check-mirrored.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import type { Connection } from '#core/client/connect.ts'
import type { Replica } from '#core/client/read/replica.ts'
import { isAmpereError } from '#core/errors.ts'
import { statusWord } from './block-status.ts'
import { monitorProblems } from './completeness.ts'
import { mirrorProblems } from './mirrored.ts'
import { problemOfKnown, type Problem } from './problem.ts'

export interface Verified {
  readonly chain: ChainId
  readonly blocks: number
  readonly entries: number
  readonly erased: number
  readonly notGranted: number
  /** What the receipts prove; null where no policy is pinned, or the record does not verify. */
  readonly log: LogView | null
  /** As of when it is complete; null where the record does not verify. */
  readonly complete: Completeness | null
  /** What its mirrors say. */
  readonly mirrors: readonly MirrorWord[]
  readonly problems: readonly Problem[]
  readonly ms: number
}

/**
 * Verifies a chain as one of its readers: every signature and rule, every entry that it may open, every receipt, and
 * whether the monitors know of more, and up to where mirrors hold it.
 */
export async function verifyChain(connection: Connection, chain: ChainId): Promise<Verified> {
  const started = performance.now()
  const none = {
    chain,
    blocks: 0,
    entries: 0,
    erased: 0,
    notGranted: 0,
    log: null,
    complete: null,
    mirrors: [],
  }
  try {
    const view = await connection.read(chain)
    const replica = await connection.replica(chain)
    const { log, unread } = await receiptsIfReadable(connection, replica)
    const complete = await checkComplete(connection, replica, log)
    const mirrors = await checkMirrored(connection, replica)
    const ofLog = (log?.problems ?? []).map((problem) => ({ chain, ...problem }))
    return {
      chain,
      blocks: view.height + 1,
      entries: view.opened.length + view.closed.length,
      erased: view.closed.filter((entry) => entry.status === 'erased').length,
      notGranted: view.closed.filter((entry) => entry.status === 'not-granted').length,
      log,
      complete,
      mirrors,
      problems: [
        ...closedProblems(chain, view.closed),
        ...ofLog,
        ...unread.map((problem) => ({ chain, ...problem })),
        ...monitorProblems(chain, complete),
        ...mirrorProblems(chain, mirrors),
      ],
      ms: performance.now() - started,
    }
  } catch (error) {
    const problem = problemOfKnown(error, chain)
    if (!problem) throw error
    return { ...none, problems: [problem], ms: performance.now() - started }
  }
}

/** What a home says whose stored log is not one. */
const UNREADABLE = ['LOG_MALFORMED', 'STORE_CORRUPT'] as const

/**
 * What the receipts of a record prove. A home that cannot make them, because its log is damaged, is a finding; the record
 * itself is verified without them.
 */
export async function receiptsIfReadable(
  connection: Connection,
  replica: Replica,
): Promise<{ readonly log: LogView | null; readonly unread: readonly Omit<Problem, 'chain'>[] }> {
  try {
    return { log: await readReceipts(connection, replica), unread: [] }
  } catch (error) {
    if (!isAmpereError(error, ...UNREADABLE)) throw error
    const detail = `the home cannot show receipts: ${error.message}`
    return { log: null, unread: [{ height: null, status: 'tampered', rule: 'receipt', detail }] }
  }
}

/** What keeps entries of a record closed that it should not, once for each block and status. */
export function closedProblems(chain: ChainId, closed: readonly ClosedEntry[]): readonly Problem[] {
  const bad = closed.filter(({ status }) => statusWord(status).isBad)
  const places = new Map(bad.map((entry) => [`${entry.height}/${entry.status}`, entry]))
  const detail = 'what is stored differs from what was signed'
  return [...places.values()].map(({ height, status, rule }) => ({ chain, height, status, rule, detail }))
}
