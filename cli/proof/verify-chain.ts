// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '#core/bytes/ids.ts'
import type { Connection } from '#core/client/connect.ts'
import { isAmpereError } from '#core/errors.ts'

/** One thing that verification found, with the rule that shows it. */
export interface Problem {
  readonly chain: string
  readonly height: number | null
  readonly status: string
  readonly rule: string
  readonly detail: string
}

export interface Verified {
  readonly chain: ChainId
  readonly blocks: number
  readonly entries: number
  readonly erased: number
  readonly notGranted: number
  readonly problems: readonly Problem[]
  readonly ms: number
}

/** Errors that are what verification found, not a failure of it. */
const FOUND = [
  'VERIFICATION_FAILED',
  'SIGNATURE_INVALID',
  'JWS_MALFORMED',
  'BLOCK_MALFORMED',
  'STORE_CORRUPT',
] as const

/** Words that say something is wrong. */
const BAD: readonly string[] = ['tampered', 'missing', 'unopenable']

/** Verifies a chain as one of its readers: every signature and rule, and every entry that it may open. */
export async function verifyChain(connection: Connection, chain: ChainId): Promise<Verified> {
  const started = performance.now()
  try {
    const view = await connection.read(chain)
    const bad = view.closed.filter((entry) => BAD.includes(entry.status))
    const heights = new Map(bad.map((entry) => [`${entry.height}/${entry.status}`, entry]))
    return {
      chain,
      blocks: view.height + 1,
      entries: view.opened.length + view.closed.length,
      erased: view.closed.filter((entry) => entry.status === 'erased').length,
      notGranted: view.closed.filter((entry) => entry.status === 'not-granted').length,
      problems: [...heights.values()].map((entry) => ({
        chain,
        height: entry.height,
        status: entry.status,
        rule: entry.rule,
        detail: 'what is stored differs from what was signed',
      })),
      ms: performance.now() - started,
    }
  } catch (error) {
    if (!isAmpereError(error, ...FOUND)) throw error
    const [, rule = 'stored-block', detail = error.message] =
      /^rule ([a-z-]+): (.*)$/.exec(error.message) ?? []
    const height = /block (\d+)/.exec(detail)?.[1]
    const problem = {
      chain,
      height: height === undefined ? null : Number(height),
      status: 'tampered',
      rule,
      detail,
    }
    return {
      chain,
      blocks: 0,
      entries: 0,
      erased: 0,
      notGranted: 0,
      problems: [problem],
      ms: performance.now() - started,
    }
  }
}
