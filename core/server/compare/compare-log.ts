// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../../bytes/frame.ts'
import { checkpointIn, type Checkpoint } from '../../log/note/checkpoint.ts'
import { parseBundlePath, parseTilePath, TILE_WIDTH } from '../../log/tile/path.ts'
import { logFiles } from '../backup/format/log-files.ts'
import type { HomeSource } from '../copy/source.ts'
import type { Pair } from './compare-chain.ts'
import { howDiffers, type Tally } from './report.ts'

/** Compares two logs: the published tree, each tile and bundle of it, and every checkpoint that first receipts are made with. */
export async function compareLogs({ first, second, isLater }: Pair, tally: Tally): Promise<void> {
  const [a, b] = [treeOf(await first.checkpoint()), treeOf(await second.checkpoint())]
  const how = howDiffers(
    a,
    b,
    (x, y) => x.origin === y.origin && x.size === y.size && equalBytes(x.root, y.root),
  )
  const size = a?.size ?? 0
  const hasGrown = isLater && (b?.size ?? 0) > size
  if (how !== null && !hasGrown) tally.differs('checkpoint', String(b?.size ?? size), how)
  tally.count('logSize', size)
  for (const path of logFiles(Math.min(size, b?.size ?? 0))) {
    // A larger tree has another partial tile in the place of each.
    if (hasGrown && isPartial(path)) continue
    const files = [await first.logFile(path), await second.logFile(path)] as const
    tally.count('logFiles')
    tally.count('bytes', files[0]?.length ?? 0)
    const differs = howDiffers(...files, equalBytes)
    if (differs !== null) tally.differs('log-file', path, differs)
  }
  await compareLists(witnessed(first), witnessed(second), (place, differs) => {
    tally.count('witnessed')
    if (differs !== null && !(isLater && differs === 'added')) tally.differs('witnessed', place, differs)
  })
}

function treeOf(note: string | null): Checkpoint | null {
  return note === null ? null : checkpointIn(note)
}

function isPartial(path: string): boolean {
  return ((parseBundlePath(path) ?? parseTilePath(path))?.width ?? 0) < TILE_WIDTH
}

/** Compares two registries, block by block. */
export async function compareRegistries({ first, second, isLater }: Pair, tally: Tally): Promise<void> {
  await compareLists(registry(first), registry(second), (height, differs) => {
    tally.count('registryBlocks')
    if (differs !== null && !(isLater && differs === 'added')) tally.differs('registry', height, differs)
  })
}

type Listed = AsyncGenerator<readonly [place: number, text: string], void, undefined>

/** Two lists in order of place. */
async function compareLists(
  first: Listed,
  second: Listed,
  found: (place: string, how: 'missing' | 'added' | 'other' | null) => void,
): Promise<void> {
  let [a, b] = [await first.next(), await second.next()]
  while (a.done !== true || b.done !== true) {
    const [left, right] = [a.done === true ? null : a.value, b.done === true ? null : b.value]
    const place = Math.min(left?.[0] ?? Infinity, right?.[0] ?? Infinity)
    const [mine, other] = [left?.[0] === place ? left[1] : null, right?.[0] === place ? right[1] : null]
    found(
      String(place),
      howDiffers(mine, other, (x, y) => x === y),
    )
    if (mine !== null) a = await first.next()
    if (other !== null) b = await second.next()
  }
}

async function* witnessed(source: HomeSource): Listed {
  for (let from = 0; ;) {
    const { items, next } = await source.witnessed(from)
    for (const note of items) yield [checkpointIn(note).size, note]
    if (next === null) return
    from = next
  }
}

async function* registry(source: HomeSource): Listed {
  for (let height = 0; ;) {
    const { items } = await source.registryBlocks(height)
    if (items.length === 0) return
    for (const block of items) yield [height++, block]
  }
}
