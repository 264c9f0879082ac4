// SPDX-License-Identifier: Apache-2.0
import type { ClosedEntry, RecordView } from '../client.ts'
import type { ErasureProgress } from './erasures.ts'

/**
 * What a verifier says of a block (docs/PROTOCOL.md, Status). Until a log exists, `promised` is the best there is:
 * the home signed that it holds the block. The words of the log are not among them yet.
 */
export type BlockStatus =
  | 'promised'
  | 'incomplete'
  | 'erasing'
  | 'erased'
  | 'missing'
  | 'unopenable'
  | 'tampered'
  | 'forked'

/** From best to worst: a block has the worst status of its entries. */
const ORDER: readonly BlockStatus[] = [
  'promised',
  'erased',
  'erasing',
  'incomplete',
  'unopenable',
  'missing',
  'tampered',
  'forked',
]

/** The status of every block of a view, by height. */
export function blockStatuses(
  view: Pick<RecordView, 'height' | 'closed' | 'erasures'>,
  progress: readonly ErasureProgress[],
): readonly BlockStatus[] {
  const statuses: BlockStatus[] = Array.from({ length: view.height + 1 }, () => 'promised')
  for (const entry of view.closed) {
    const status = statusOf(entry, view, progress)
    const before = statuses[entry.height]
    if (status && before && ORDER.indexOf(status) > ORDER.indexOf(before)) statuses[entry.height] = status
  }
  return statuses
}

/** The worst of several statuses; `promised` of none. */
export function worstStatus(statuses: readonly BlockStatus[]): BlockStatus {
  return statuses.reduce<BlockStatus>(
    (worst, status) => (ORDER.indexOf(status) > ORDER.indexOf(worst) ? status : worst),
    'promised',
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
