// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../bytes/encoding.ts'
import type { Link } from '../../chain/state.ts'
import { digestOf } from '../../crypto/hash.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import { AmpereError } from '../../errors.ts'
import type { Policy } from '../../log/policy/policy.ts'
import type { RegistryView } from '../../registry/snapshot.ts'
import type { Monitors } from '../client.ts'
import type { AskedRecord } from '../complete/completeness.ts'
import type { Comparing } from '../complete/compared-trees.ts'
import {
  concluded,
  countedMonitors,
  nextLabel,
  wordOf,
  type Completeness,
  type NotComplete,
} from '../complete/monitor-words.ts'
import type { LogView } from '../receipt/judge-blocks.ts'
import type { ExportProblem } from './check-parts.ts'
import type { ExportLines } from './lines.ts'
import type { ExportParts } from './read-lines.ts'

/**
 * Adds what monitors answered, and the label key that shows that it is about the block after the last one. With that
 * key whoever has the file finds in the public log when the record goes on, until its next rotation; where nobody
 * answered it is left out.
 */
export function addLookups(lines: ExportLines, { answers, labelKey }: AskedRecord): void {
  if (answers.size === 0 || !labelKey) return
  lines.add({ labelKey: toBase64url(labelKey) })
  for (const [of, { lookup, checkpoint, found }] of answers) {
    const under = lines.under(checkpoint)
    lines.add({ lookup, of, under, found })
  }
}

/** What a file's lookups are judged by, all of it the verifier's own but the registry, which the file has. */
export interface LookupJudges {
  readonly policy: Policy | null
  readonly monitors: Monitors | null
  readonly records: RegistryView
  readonly verifiers: Verifiers
  readonly nowMs: number
  readonly comparing: Comparing
}

/** As of when the record in a file is complete, by the answers of pinned monitors in it. */
export async function judgeLookups(
  parts: ExportParts,
  end: Link,
  log: LogView | null,
  { policy, monitors, records, verifiers, nowMs, comparing }: LookupJudges,
): Promise<Completeness> {
  const { first, lookups, labelKey } = parts
  const { height } = end.opened.block
  const not = (why: NotComplete): Completeness => ({ height, asOfMs: null, why, words: [], forked: null })
  const origins = countedMonitors(monitors, first.origin)
  if (!monitors || origins.length === 0) return not('no-monitor')
  if (!policy || policy.quorum === null) return not('no-quorum')
  if (!origins.some((origin) => lookups.has(origin))) return not('no-lookup')
  // The chain commits to its label keys, so that nobody can ask about another label than that of the next block.
  if (!labelKey || digestOf(labelKey) !== end.state.labelKeyHash) return not('no-label-key')
  const receipt = log?.receipts[height] ?? null
  const at = { chain: end.opened.chain, height, receipt }
  const label = nextLabel(labelKey, at)
  const context = { home: first.origin, policy, records, verifiers, nowMs }
  const words = origins.map((origin) =>
    wordOf(context, { origin, label, end: at }, async () => {
      const answer = lookups.get(origin)
      if (!answer) throw new AmpereError('NOT_FOUND', 'the file has no answer of it')
      return answer
    }),
  )
  return concluded(await Promise.all(words), at, { need: monitors.need, nowMs, comparing })
}

/**
 * What monitors show to be wrong: the block that a monitor has in the log and the file has not, and a log that showed them
 * another tree, of the last block unless its receipt shows that already.
 */
export function monitorProblems(
  { why, height, forked }: Completeness,
  log: LogView | null,
): readonly ExportProblem[] {
  const detail = 'a monitor has it in the log of the home, and the file ends before it'
  const withheld: ExportProblem = { height: height + 1, status: 'missing', rule: 'withheld', detail }
  const isKnown = log?.problems.some((problem) => problem.height === height && problem.rule === 'split-view')
  const split: readonly ExportProblem[] =
    forked === null || isKnown === true
      ? []
      : [{ height, status: 'forked', rule: 'split-view', detail: `${forked}, one of them to a monitor` }]
  return [...split, ...(why === 'withheld' ? [withheld] : [])]
}
