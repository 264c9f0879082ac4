// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '#core/bytes/ids.ts'
import { isAmpereError } from '#core/errors.ts'
import type { ClosedEntry } from '#core/client/client.ts'
import type { Connection } from '#core/client/connect.ts'
import { statusWord } from './block-status.ts'
import { problemIn, type Problem } from './problem.ts'

export interface Verified {
  readonly chain: ChainId
  readonly blocks: number
  readonly entries: number
  readonly erased: number
  readonly notGranted: number
  readonly problems: readonly Problem[]
  readonly ms: number
}

/** Verifies a chain as one of its readers: every signature and rule, and every entry that it may open. */
export async function verifyChain(connection: Connection, chain: ChainId): Promise<Verified> {
  const started = performance.now()
  const none = { chain, blocks: 0, entries: 0, erased: 0, notGranted: 0 }
  try {
    const view = await connection.read(chain)
    return {
      chain,
      blocks: view.height + 1,
      entries: view.opened.length + view.closed.length,
      erased: view.closed.filter((entry) => entry.status === 'erased').length,
      notGranted: view.closed.filter((entry) => entry.status === 'not-granted').length,
      problems: closedProblems(chain, view.closed),
      ms: performance.now() - started,
    }
  } catch (error) {
    const problem = problemIn(error, chain) ?? (await withheld(connection, chain, error))
    if (!problem) throw error
    return { ...none, problems: [problem], ms: performance.now() - started }
  }
}

/** A home that shows nothing of a chain that this installation has seen: it is not the same as one that never was. */
async function withheld(connection: Connection, chain: ChainId, error: unknown): Promise<Problem | null> {
  const seen = isAmpereError(error, 'NOT_FOUND') ? await connection.ports.seen.load(chain) : null
  if (!seen) return null
  const detail = `it was seen up to block ${seen.height}, and the home shows nothing of it: it lost it, or this institution has no part in it any more`
  return { chain, height: null, status: 'missing', rule: 'withheld', detail }
}

/** What keeps entries of a record closed that it should not, once for each block and status. */
export function closedProblems(chain: ChainId, closed: readonly ClosedEntry[]): readonly Problem[] {
  const bad = closed.filter(({ status }) => statusWord(status).isBad)
  const places = new Map(bad.map((entry) => [`${entry.height}/${entry.status}`, entry]))
  const detail = 'what is stored differs from what was signed'
  return [...places.values()].map(({ height, status, rule }) => ({ chain, height, status, rule, detail }))
}
