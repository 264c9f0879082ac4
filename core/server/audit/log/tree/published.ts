// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../../../../bytes/frame.ts'
import type { Checkpoint } from '../../../../log/note/checkpoint.ts'
import { tilePath, type Tile } from '../../../../log/tile/path.ts'
import type { FetchPath } from '../../../../log/tile/read-tile.ts'
import type { Signed } from '../anchors.ts'
import type { Coverage } from '../rows/coverage.ts'
import type { LogNotes, Remedy } from '../report.ts'

/** A size that was published, or may have been. */
export interface Stop {
  readonly size: number
  /** What is kept as witnessed for this size. */
  readonly checkpoint: Checkpoint | null
  /** False where only a run ends: a commit has many runs, and which of them ended it is not kept. */
  readonly isCertain: boolean
}

/** Sizes that were published, in order. */
export interface Published {
  /** Those above `first` up to `end`: asked for each bundle once, in order. */
  within(first: number, end: number): Promise<readonly Stop[]>
}

/** Sizes of witnessed checkpoints and of the tree itself, and wherever a run ends. */
export function publishedSizes(
  witnessed: AsyncIterator<Signed>,
  coverage: Coverage,
  size: number,
): Published {
  let next: Promise<IteratorResult<Signed>> | null = null
  const witnessedUpTo = async (end: number) => {
    const found = new Map<number, Checkpoint>()
    for (;;) {
      next ??= witnessed.next()
      const { done, value } = await next
      if (done === true || value.checkpoint.size > end) return found
      found.set(value.checkpoint.size, value.checkpoint)
      next = null
    }
  }
  return {
    within: async (first, end) => {
      const known = await witnessedUpTo(end)
      const stops: Stop[] = []
      for (let at = first + 1; at <= end; at++) {
        const checkpoint = known.get(at) ?? null
        if (checkpoint || at === size) stops.push({ size: at, checkpoint, isCertain: true })
        else if (at > coverage.from && coverage.endsAt(at - 1))
          stops.push({ size: at, checkpoint: null, isCertain: false })
      }
      return stops
    },
  }
}

/** Whether a path is of a partial part that one size alone has. */
function isOwn(path: string): boolean {
  return path.startsWith('tile/0/') || path.startsWith('tile/entries/')
}

/** Bytes that belong under a path. */
interface Part {
  readonly path: string
  readonly bytes: Uint8Array
  readonly rule: 'tile' | 'bundle'
}

/** Paths that are remembered as compared. */
const MAX_SAME = 64

/** Where partial tiles are compared. */
export interface Comparing {
  readonly fetch: FetchPath
  readonly comparisons: LogNotes
  /** Paths that hold what belongs there: a tile of a higher level belongs to many sizes. */
  readonly same: Set<string>
}

/**
 * Compares the partial tiles and the partial bundle of one size. Where it is not certain that it was published, one of
 * those that only this size has tells: then all must be there, since all are stored before a size is published.
 */
export async function compareAt(
  { fetch, comparisons, same }: Comparing,
  tiles: readonly Tile[],
  bundle: { readonly path: string; readonly bytes: Uint8Array } | null,
  isCertain: boolean,
): Promise<void> {
  const parts: Part[] = tiles
    .map(({ id, bytes }) => ({ path: tilePath(id), bytes, rule: 'tile' as const }))
    .filter(({ path }) => !same.has(path))
  if (bundle) parts.push({ ...bundle, rule: 'bundle' })
  const stored = await Promise.all(parts.map(async (part) => ({ part, bytes: await fetch(part.path) })))
  // Sizes come in order: of each level only the newest are asked for again.
  if (same.size > MAX_SAME) same.clear()
  const wasPublished = isCertain || stored.some(({ part, bytes }) => bytes !== null && isOwn(part.path))
  for (const { part, bytes } of stored) {
    if (bytes && equalBytes(bytes, part.bytes)) same.add(part.path)
    if (bytes ? same.has(part.path) : !wasPublished) continue
    const remedy: Remedy = { kind: 'object', path: part.path, bytes: part.bytes }
    const detail = bytes ? `the ${part.rule} is not that of its leaves` : `the ${part.rule} is not stored`
    comparisons.find(part.rule, bytes ? 'tampered' : 'missing', part.path, detail, remedy)
  }
}
