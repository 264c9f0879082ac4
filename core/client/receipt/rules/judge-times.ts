// SPDX-License-Identifier: Apache-2.0
import {
  isDatedAhead,
  isOverdue,
  logStatus,
  type Judging,
  type LogStatus,
  type PlacedBlock,
} from './log-status.ts'
import { datedAhead, late, overdue, type ReceiptProblem } from './receipt-problem.ts'

/** A block whose receipt was looked at, if there is one. */
export interface LookedAt extends PlacedBlock {
  readonly height: number
  /** A receipt was given that proves nothing, which is a problem of its own. */
  readonly isWrong: boolean
}

/** What is to be said of a block once it is known what time it is. */
export interface JudgedTimes {
  readonly status: LogStatus
  readonly problems: readonly ReceiptProblem[]
}

/** Judges a block by its place in the log and by what time it is. */
export function judgeTimes(at: LookedAt, judging: Judging): JudgedTimes {
  const { height, isWrong } = at
  const said = logStatus(at, judging)
  // Whatever the word for it is: of a key that was revoked the home owes receipts too.
  const problems = isOverdue(at, judging) && !isWrong ? [overdue(height)] : []
  if (said === 'late') problems.push(late(height))
  if (isDatedAhead(at, judging)) problems.push(datedAhead(height))
  return { status: said === 'overdue' && isWrong ? 'promised' : said, problems }
}
