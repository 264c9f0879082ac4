// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import type { BlockEntries } from '../../block/block.ts'
import {
  descriptorLeaf,
  entryRange,
  readDescriptors,
  type EntryDescriptor,
} from '../../block/entries-object.ts'
import { checkedRow, type KeyRow } from '../../block/key-row.ts'
import { sha256Large } from '../../crypto/hash.ts'
import { isAmpereError } from '../../errors.ts'
import { rootOf } from '../../log/merkle.ts'
import { isObjectNamed, objectName, rowKey } from '../store/rows.ts'
import type { Erasures } from './erasures.ts'
import type { AuditorPorts } from './needs.ts'
import type { Notes, PartRule } from './report.ts'

/** Which of a chain's entries is checked, and against what. */
export interface EntriesPlace {
  readonly chain: ChainId
  readonly height: number
  readonly entries: BlockEntries
  readonly erasures: Erasures
}

/**
 * Checks the key row and the sealed object of a block: both are what was signed, but for what was ordered to be
 * erased, and what was stated to be erased is gone. @returns whether the key row is stored
 */
export async function checkEntries(ports: AuditorPorts, at: EntriesPlace, notes: Notes): Promise<boolean> {
  const { chain, height, entries } = at
  const object = await ports.objects.entries.fetch(objectName(chain, entries.root))
  const descriptors = object && (await checkObject(entries, object))
  if (typeof descriptors === 'string')
    notes.find(height, 'tampered', descriptors, 'the stored object differs from what was signed')
  const stored = await ports.tables.wraps.get(chain, rowKey(entries))
  const row = stored && checkedRow(entries, stored.value)
  if (!stored) notes.find(height, 'missing', 'keys-row', 'the key row is not stored')
  else if (!row)
    notes.find(height, 'tampered', 'keys-root', 'the stored key row differs from what was signed')
  if (row) checkKeys(at, row, typeof descriptors === 'object' ? descriptors : null, notes)
  await checkPresence(ports, at, { isStored: object !== null, row }, notes)
  return stored !== null
}

/** Each key is there or a tombstone of an erasure that aims at its entry, and none that was stated to be gone is there. */
function checkKeys(
  { height, erasures }: EntriesPlace,
  row: KeyRow,
  descriptors: readonly EntryDescriptor[] | null,
  notes: Notes,
): void {
  let gone = 0
  let isDestroyed = false
  let isBack = false
  for (const [i, key] of row.keys.entries()) {
    const descriptor = descriptors?.[i]
    const orders = descriptor ? erasures.aimedAt(height, descriptor.id) : erasures.aimedInto(height)
    if ('erased' in key) {
      gone++
      isDestroyed ||= !orders.some((order) => order.id === key.erased)
    } else isBack ||= descriptor !== undefined && orders.some((order) => order.isCarriedOut)
  }
  // Without the object nobody knows which key is whose, but how many must be gone.
  isBack ||= descriptors === null && gone < erasures.countCarriedOut(height, row.keys.length)
  if (isDestroyed)
    notes.find(height, 'missing', 'destroyed-key', 'a key was destroyed that no block ordered to be')
  if (isBack) notes.find(height, 'tampered', 'erased-key', 'an erased key is stored again')
}

/** The object is there unless every key is gone, and gone once that was stated. */
async function checkPresence(
  ports: AuditorPorts,
  { chain, height, entries, erasures }: EntriesPlace,
  stored: { readonly isStored: boolean; readonly row: KeyRow | null },
  notes: Notes,
): Promise<void> {
  const isEmpty = stored.row?.keys.every((key) => 'erased' in key) ?? false
  if (!stored.isStored) {
    const isOrdered = erasures.countAt(height, entries.count) === entries.count
    if (!isEmpty && !isOrdered) notes.find(height, 'missing', 'object', 'the sealed object is not stored')
    return
  }
  const isStated = isEmpty && erasures.countCarriedOut(height, entries.count) === entries.count
  // Another block may name the same object, with keys of its own.
  const { blocks } = ports.tables
  if (isStated && !(await isObjectNamed(blocks, chain, entries.root, { besides: height })))
    notes.find(height, 'tampered', 'erased-object', 'an erased object is stored again')
}

/** The descriptors, or the rule that the object breaks. */
async function checkObject(
  entries: BlockEntries,
  object: Uint8Array,
): Promise<readonly EntryDescriptor[] | PartRule> {
  try {
    const descriptors = readDescriptors(object)
    if (toBase64url(rootOf(descriptors.map(descriptorLeaf))) !== entries.root) return 'entries-root'
    for (const [i, descriptor] of descriptors.entries()) {
      const { start, end } = entryRange(descriptors, i)
      if (toBase64url(await sha256Large(object.subarray(start, end))) !== descriptor.hash) return 'entry-hash'
    }
    const { end } = entryRange(descriptors, descriptors.length - 1)
    return end === object.length ? descriptors : 'object-form'
  } catch (error) {
    if (isAmpereError(error)) return 'object-form'
    throw error
  }
}
