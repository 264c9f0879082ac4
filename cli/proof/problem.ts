// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'

/** One thing that verification found, with the rule that shows it. */
export interface Problem {
  readonly chain: string
  readonly height: number | null
  readonly status: string
  readonly rule: string
  readonly detail: string
}

/** Errors that are what verification found, not a failure of it. */
const FOUND = [
  'VERIFICATION_FAILED',
  'SIGNATURE_INVALID',
  'JWS_MALFORMED',
  'BLOCK_MALFORMED',
  'STORE_CORRUPT',
] as const

/** What an error says that was found, or null when it says that verifying failed. */
export function problemIn(error: unknown, chain: string): Problem | null {
  if (!isAmpereError(error, ...FOUND)) return null
  const [, rule = 'stored-block', detail = error.message] = /^rule ([a-z-]+): (.*)$/.exec(error.message) ?? []
  const height = /block (\d+)/.exec(detail)?.[1]
  return {
    chain,
    height: height === undefined ? null : Number(height),
    status: rule === 'forked' ? 'forked' : 'tampered',
    rule,
    detail,
  }
}

/** The same for a record that is known here: that its home shows nothing of it is a finding as well. */
export function problemOfKnown(error: unknown, chain: string): Problem | null {
  if (!isAmpereError(error, 'NOT_FOUND')) return problemIn(error, chain)
  const detail =
    'the home shows nothing of it: it lost the record, or this institution has no part in it any more'
  return { chain, height: null, status: 'missing', rule: 'withheld', detail }
}

/** `FAILED block 41: tampered. The stored key row differs from what was signed (rule keys-root).` */
export function problemLine({ height, status, rule, detail }: Problem): string {
  const place = height === null ? '' : ` block ${height}`
  const sentence = detail === '' ? '' : ` ${detail[0]?.toUpperCase() ?? ''}${detail.slice(1)}`
  return `FAILED${place}: ${status}.${sentence} (rule ${rule}).`
}

/** The client and the audit name the same damage; the audit, which comes later, has the more exact rule. */
export function withoutRepeats(problems: readonly Problem[]): readonly Problem[] {
  const byPlace = new Map<string, Problem>()
  for (const problem of problems) byPlace.set(`${problem.chain}/${String(problem.height)}`, problem)
  return [...byPlace.values()]
}
