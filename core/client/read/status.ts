// SPDX-License-Identifier: Apache-2.0
import type { ClosedEntry, RecordView } from '../client.ts'
import type { LogStatus } from '../receipt/rules/log-status.ts'
import type { ErasureProgress } from './erasures.ts'

/** What a verifier says of a block (docs/PROTOCOL.md, Status): what the log proves, unless something else is the matter. */
export type BlockStatus =
  | LogStatus
  | 'incomplete'
  | 'erasing'
  | 'erased'
  | 'missing'
  | 'unopenable'
  | 'tampered'
  | 'forked'

/** From best to worst: a block has the worst status of its entries. */
const ORDER: readonly BlockStatus[] = [
  'witnessed',
  'logged',
  'promised',
  'erased',
  'erasing',
  'incomplete',
  'overdue',
  'suspect',
  'late',
  'unopenable',
  'missing',
  'tampered',
  'forked',
]

/**
 * The status of every block of a view, by height.
 * @param logged what the log says of each; left out where nobody judged that, when `promised` is the best there is: the
 * home signed that it holds the block
 */
export function blockStatuses(
  view: Pick<RecordView, 'height' | 'closed' | 'erasures'>,
  progress: readonly ErasureProgress[],
  logged: readonly LogStatus[] = [],
): readonly BlockStatus[] {
  const statuses: BlockStatus[] = Array.from({ length: view.height + 1 }, (_, i) => logged[i] ?? 'promised')
  for (const entry of view.closed) {
    const status = statusOf(entry, view, progress)
    const before = statuses[entry.height]
    if (status && before && ORDER.indexOf(status) > ORDER.indexOf(before)) statuses[entry.height] = status
  }
  return statuses
}

/** The worst of several statuses, one of which is what the log says. */
export function worstStatus(logged: LogStatus, others: readonly BlockStatus[]): BlockStatus {
  return others.reduce<BlockStatus>(
    (worst, status) => (ORDER.indexOf(status) > ORDER.indexOf(worst) ? status : worst),
    logged,
  )
}

/** What a closed entry says of its block; null where that is nothing, because this reader may not open it. */
export function statusOf(
  entry: ClosedEntry,
  view: Pick<RecordView, 'erasures'>,
  progress: readonly ErasureProgress[],
): BlockStatus | null {
  if (entry.status === 'not-granted') return null
  if (entry.status !== 'erased') return entry.status
  if (entry.rule !== '') return 'erasing'
  const ordering = view.erasures.filter(
    ({ body, height }) =>
      (body.scope === 'record' && entry.height < height) ||
      body.targets.some((target) => target.height === entry.height && target.ids.includes(entry.id)),
  )
  const done = ordering.some(({ height }) =>
    progress.some((step) => step.height === height && step.status === 'erased'),
  )
  return done ? 'erased' : 'erasing'
}
