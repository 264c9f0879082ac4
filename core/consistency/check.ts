// SPDX-License-Identifier: Apache-2.0
import { createChecker, type CheckReport } from './checker.ts'
import type { RecordItem } from './facts.ts'
import type { Knowledge } from './knowledge.ts'

export type { CheckReport } from './checker.ts'
export type { Finding } from './finding.ts'

/**
 * Applies every rule to all of a record's current resources. Deterministic: the order of `items` does not matter.
 * `nowMs` is the time against which "in the future" is judged; `isPartial` says that part of the record is sealed
 * from whoever checks it. To check the same record again, keep a checker (checker.ts) instead.
 */
export function checkRecord(
  items: readonly RecordItem[],
  knowledge: Knowledge,
  nowMs: number,
  isPartial = false,
): CheckReport {
  const checker = createChecker(knowledge)
  checker.update({ put: items, nowMs, isPartial })
  return checker.report()
}
