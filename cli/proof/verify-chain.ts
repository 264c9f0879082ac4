// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '#core/bytes/ids.ts'
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
    const bad = view.closed.filter(({ status }) => statusWord(status).isBad)
    const places = new Map(bad.map((entry) => [`${entry.height}/${entry.status}`, entry]))
    return {
      chain,
      blocks: view.height + 1,
      entries: view.opened.length + view.closed.length,
      erased: view.closed.filter((entry) => entry.status === 'erased').length,
      notGranted: view.closed.filter((entry) => entry.status === 'not-granted').length,
      problems: [...places.values()].map(({ height, status, rule }) => ({
        chain,
        height,
        status,
        rule,
        detail: 'what is stored differs from what was signed',
      })),
      ms: performance.now() - started,
    }
  } catch (error) {
    const problem = problemIn(error, chain)
    if (!problem) throw error
    return { ...none, problems: [problem], ms: performance.now() - started }
  }
}
