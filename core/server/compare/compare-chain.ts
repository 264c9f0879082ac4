// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../../bytes/canonical-json.ts'
import { equalBytes } from '../../bytes/frame.ts'
import type { ChainId } from '../../bytes/ids.ts'
import type { BlockEntries } from '../../block/block.ts'
import { maxObjectBytes } from '../../block/entries-object.ts'
import { checkedRow } from '../../block/key-row.ts'
import { parseBlock } from '../../block/open-block.ts'
import { isAmpereError } from '../../errors.ts'
import type { HomeSource } from '../copy/source.ts'
import { partNames } from '../store/attempt.ts'
import type { MovedReceipts } from '../store/moved-receipts.ts'
import { howDiffers, type Tally } from './report.ts'

/** The two that are compared. */
export interface Pair {
  readonly first: HomeSource
  readonly second: HomeSource
  /** True where the second may have more than the first, and may have destroyed what that still has. */
  readonly isLater: boolean
  /** True where the second keeps the receipts of the log of the first, which is another than its own. */
  readonly hasOwnLog: boolean
}

/** Compares one chain: blocks, key rows, objects, packages, label keys and statements, byte by byte. */
export async function compareChain(pair: Pair, chain: ChainId, tally: Tally): Promise<void> {
  const { first, second } = pair
  tally.count('chains')
  for (let height = 0; ;) {
    const [left, right] = [
      (await first.blocks(chain, height)).items,
      (await second.blocks(chain, height)).items,
    ]
    const length = Math.max(left.length, right.length)
    if (length === 0) break
    // Pages of two sources differ in length, so what one has and the other has not is told by what comes next.
    const both = Math.min(left.length, right.length)
    if (both === 0) {
      if (left.length > 0) tally.differs('block', `${chain}/${height}`, 'missing')
      else if (!pair.isLater) tally.differs('block', `${chain}/${height}`, 'added')
      break
    }
    for (let i = 0; i < both; i++, height++) {
      tally.count('blocks')
      if (left[i] !== right[i]) {
        tally.differs('block', `${chain}/${height}`, 'other')
        return
      }
      await compareParts(pair, chain, height, left[i] ?? '', tally)
    }
  }
  const [came, kept] = [(await first.moved(chain)).receipts, (await second.moved(chain)).receipts]
  if (!isKept(came, kept)) tally.differs('receipts', chain, 'missing')
  else if (!isKept(kept, came) && !pair.isLater && !pair.hasOwnLog) tally.differs('receipts', chain, 'added')
  const [left, right] = [await first.erased(chain), await second.erased(chain)]
  if (!isWithin(left, right)) tally.differs('statements', chain, 'missing')
  else if (!isWithin(right, left) && !pair.isLater) tally.differs('statements', chain, 'added')
}

async function compareParts(
  { first, second, isLater }: Pair,
  chain: ChainId,
  height: number,
  compact: string,
  tally: Tally,
): Promise<void> {
  const { block } = parseBlock(compact)
  const { row, packages, label } = partNames(block)
  const { entries } = block
  const compared = (a: Uint8Array | null, b: Uint8Array | null) => {
    if (a) tally.count('parts')
    tally.count('bytes', a?.length ?? 0)
    return howDiffers(a, b, equalBytes)
  }
  if (entries && row !== null) {
    const rows = [await first.keyRow(chain, row), await second.keyRow(chain, row)] as const
    const ofRow = compared(...rows)
    const destroyed = isLater ? destroyedIn(entries, ...rows) : null
    if (ofRow !== null && destroyed === null) tally.differs('row', `${chain}/${height}`, ofRow)
    tally.count('erased', destroyed?.keys ?? 0)
    const max = maxObjectBytes(entries)
    const [a, b] = [
      await first.object(chain, entries.root, max),
      await second.object(chain, entries.root, max),
    ]
    const ofObject = compared(a, b)
    const isShredded = ofObject === 'missing' && destroyed?.all === true
    if (isShredded) tally.count('erased')
    else if (ofObject !== null) tally.differs('object', `${chain}/${height}`, ofObject)
  }
  if (packages === null && label === null) return
  tally.count('parts')
  const [a, b] = [await first.blockKeys(chain, height), await second.blockKeys(chain, height)]
  const isRemoved = isLater && a.packages.length > 0 && b.packages.length === 0
  if (isRemoved) tally.count('erased', a.packages.length)
  if (canonicalize(isRemoved ? { ...a, packages: [] } : a) !== canonicalize(b))
    tally.differs('keys', `${chain}/${height}`, 'other')
}

/** Keys that the second destroyed, and whether none is left there; null where it differs in anything else. */
function destroyedIn(
  entries: BlockEntries,
  first: Uint8Array | null,
  second: Uint8Array | null,
): { readonly keys: number; readonly all: boolean } | null {
  if (!first || !second) return null
  try {
    const [a, b] = [checkedRow(entries, first), checkedRow(entries, second)]
    if (a?.keys.length !== b?.keys.length || !a || !b) return null
    let keys = 0
    for (const [i, key] of b.keys.entries()) {
      const before = a.keys[i]
      if (canonicalize(key) === canonicalize(before)) continue
      if (!('erased' in key) || !before || 'erased' in before) return null
      keys++
    }
    return { keys, all: b.keys.every((key) => 'erased' in key) }
  } catch (error) {
    if (isAmpereError(error)) return null
    throw error
  }
}

/** Each is there, or where it is only logged a witnessed one of its block, which a copy has instead. */
function isKept(came: MovedReceipts['receipts'], kept: MovedReceipts['receipts']): boolean {
  const there = new Set(kept.map((receipt) => canonicalize(receipt)))
  const witnessed = new Set(kept.flatMap(({ height, row }) => (row.level === 'witnessed' ? [height] : [])))
  return came.every(
    (receipt) =>
      there.has(canonicalize(receipt)) || (receipt.row.level === 'logged' && witnessed.has(receipt.height)),
  )
}

function isWithin(a: readonly string[], b: readonly string[]): boolean {
  return a.every((each) => b.includes(each))
}
