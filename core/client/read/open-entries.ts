// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../bytes/encoding.ts'
import type { ChainId, CompartmentId, EntryId } from '../../bytes/ids.ts'
import {
  descriptorLeaf,
  entryRange,
  readDescriptors,
  type EntryDescriptor,
} from '../../block/entries-object.ts'
import { checkedRow, type KeyRow } from '../../block/key-row.ts'
import type { BlockEntries } from '../../block/block.ts'
import { sha256Large } from '../../crypto/hash.ts'
import { isAmpereError } from '../../errors.ts'
import { rootOf } from '../../log/merkle.ts'
import { MAX_BLOCK_OPENED_BYTES, openedBytes, openWithin } from '../../seal/budget.ts'
import { openEntry } from '../../seal/entry.ts'
import { openKeys, type OpenedKey } from '../../seal/wraps.ts'
import type { ClosedEntry, ClosedStatus, OpenedEntry } from '../client.ts'
import type { BlockNote } from './block-note.ts'
import type { Replica } from './replica.ts'
import type { Keyring } from './reader-keys.ts'

/** The stored parts of one block, as the home gave them; null is "not there". */
export interface BlockParts {
  readonly row: Uint8Array | null
  readonly object: Uint8Array | null
}

/** What came of one block's entries. */
export interface OpenedBlockEntries {
  readonly opened: readonly OpenedEntry[]
  readonly closed: readonly ClosedEntry[]
}

/**
 * Verifies and opens the entries of one block for one reader. Nothing here throws for what a store did:
 * each entry is opened or closed with the one word that says why. Of plain bytes it holds no more than a block may
 * have, and no more than `maxBytes`, which is what this reader still holds of this author.
 */
export async function openBlockEntries(
  replica: Replica,
  note: BlockNote,
  parts: BlockParts,
  keyring: Keyring,
  maxBytes: number = MAX_BLOCK_OPENED_BYTES,
): Promise<OpenedBlockEntries> {
  const { entries } = note
  if (!entries) return { opened: [], closed: [] }
  const erased = erasedIn(replica, note.height)
  const descriptors = parts.object ? checkedDescriptors(entries, parts.object) : null
  const row = parts.row ? checkedRow(entries, parts.row) : null
  const closedBy = (status: ClosedStatus, rule: string) =>
    allClosed(replica, note, descriptors, erased, status, rule)
  if (!parts.row) return closedBy('missing', 'keys-row')
  if (!parts.object) return closedBy('missing', 'object')
  if (!row) return closedBy('tampered', 'keys-root')
  if (!descriptors) return closedBy('tampered', 'entries-root')
  const deks = await openKeys(
    {
      chain: replica.chain,
      root: entries.root,
      compartments: descriptors.map((descriptor) => descriptor.compartment),
      seedOf: keyring.seedOf,
    },
    row,
  )
  const keyOf = ({ id, compartment }: EntryDescriptor, i: number) =>
    erased(id)
      ? goneOrNot(row.keys[i])
      : keyOrWhy(deks[i], () => keyring.whyClosed(compartment, entries.epoch))
  const results = await openWithin([...descriptors.entries()], Math.min(maxBytes, MAX_BLOCK_OPENED_BYTES), {
    sealedBytes: ([, { size }]) => size,
    open: ([i, item], left) =>
      openOne(replica.chain, item, slice(parts.object, descriptors, i), keyOf(item, i), left),
    plainBytes: (result) => ('status' in result ? 0 : openedBytes(result)),
  })
  const beyond = maxBytes < MAX_BLOCK_OPENED_BYTES ? READER_BUDGET : BLOCK_SIZE
  return sorted(replica, note, keyring, descriptors, (i) => results[i] ?? beyond)
}

/** What came of each entry, with its place. */
function sorted(
  replica: Replica,
  note: BlockNote,
  keyring: Keyring,
  descriptors: readonly EntryDescriptor[],
  resultOf: (index: number) => Plain | Why,
): OpenedBlockEntries {
  const opened: OpenedEntry[] = []
  const closed: ClosedEntry[] = []
  const institution = replica.authors.get(note.kid) ?? null
  for (const [i, { id, compartment }] of descriptors.entries()) {
    const base = { ...placeOf(replica.chain, note, id, i), compartment }
    const result = resultOf(i)
    if ('status' in result) closed.push({ ...base, ...result })
    else {
      const compartmentName = keyring.nameOf(compartment) ?? ''
      opened.push({ ...base, author: note.kid, institution, compartmentName, ...result })
    }
  }
  return { opened, closed }
}

interface Plain {
  readonly header: Uint8Array
  readonly content: Uint8Array
}

type Why = Pick<ClosedEntry, 'status' | 'rule'>
const ERASED: Why = { status: 'erased', rule: '' }
/** It is not opened, but its home has the key still, whatever it states. */
const KEY_STANDS: Why = { status: 'erased', rule: 'keys-row' }
const TAMPERED: Why = { status: 'tampered', rule: 'entry-hash' }
const UNOPENABLE: Why = { status: 'unopenable', rule: 'author-seal' }
/** Its author put more into one block than a block may have. */
const BLOCK_SIZE: Why = { status: 'unopenable', rule: 'block-size' }
/** This reader holds as much of this author as it ever does. */
export const READER_BUDGET: Why = { status: 'unopenable', rule: 'reader-budget' }
/** What a tombstone is that no erasure of the chain ordered: a key that the store destroyed by itself. */
const DESTROYED: Why = { status: 'missing', rule: 'keys-row' }

function goneOrNot(key: KeyRow['keys'][number] | undefined): Why {
  return key && !('erased' in key) ? KEY_STANDS : ERASED
}

/** The key of an entry that no erasure covers, or why there is none. The row may hold fewer keys than the object entries. */
function keyOrWhy(dek: OpenedKey | undefined, closedBy: () => Why): Uint8Array | Why {
  if (dek === null) return closedBy()
  if (dek === undefined || dek === 'unopenable') return UNOPENABLE
  return dek === 'erased' ? DESTROYED : dek
}

/** Which entries of a height a completed erasure covers. */
function erasedIn(replica: Replica, height: number): (id: EntryId) => boolean {
  const ids = new Set<string>()
  for (const { body, height: at } of replica.erasures) {
    if (body.scope === 'record' && height < at) return () => true
    for (const target of body.targets) if (target.height === height) for (const id of target.ids) ids.add(id)
  }
  return (id) => ids.has(id)
}

/** The descriptors if they are exactly what the block names, else null. */
export function checkedDescriptors(
  entries: BlockEntries,
  object: Uint8Array,
): readonly EntryDescriptor[] | null {
  try {
    const descriptors = readDescriptors(object)
    return toBase64url(rootOf(descriptors.map(descriptorLeaf))) === entries.root ? descriptors : null
  } catch (error) {
    if (isAmpereError(error)) return null
    throw error
  }
}

async function openOne(
  chain: ChainId,
  descriptor: EntryDescriptor,
  ciphertext: Uint8Array,
  key: Uint8Array | Why,
  maxBytes: number,
): Promise<Plain | Why | null> {
  if ('status' in key && key.status !== 'not-granted') return key
  const hash = toBase64url(await sha256Large(ciphertext))
  if (hash !== (descriptor.hash as string)) return TAMPERED
  if ('status' in key) return key
  try {
    const { id, compartment } = descriptor
    return await openEntry({ chain, id, compartment, dek: key }, ciphertext, maxBytes)
  } catch (error) {
    if (isAmpereError(error, 'TOO_LARGE')) return null
    if (isAmpereError(error, 'OPEN_FAILED')) return UNOPENABLE
    throw error
  }
}

function allClosed(
  replica: Replica,
  note: BlockNote,
  descriptors: readonly EntryDescriptor[] | null,
  erased: (id: EntryId) => boolean,
  status: ClosedStatus,
  rule: string,
): OpenedBlockEntries {
  // A wholly erased object is gone with its descriptors: the erase block's targets name what was there.
  const known =
    descriptors?.map(({ id, compartment }) => ({ id, compartment })) ?? erasedTargets(replica, note)
  const closed = known.map(({ id, compartment }, i) => ({
    ...placeOf(replica.chain, note, id, i),
    compartment,
    ...(erased(id) ? ERASED : { status, rule }),
  }))
  const unnamed = (note.entries?.count ?? 0) - closed.length
  const nameless = Array.from({ length: Math.max(0, unnamed) }, (_, i) => ({
    ...placeOf(replica.chain, note, namelessId(i), known.length + i),
    compartment: '' as CompartmentId,
    ...(erased(namelessId(i)) ? ERASED : { status, rule }),
  }))
  return { opened: [], closed: [...closed, ...nameless] }
}

function erasedTargets(replica: Replica, note: BlockNote): { id: EntryId; compartment: CompartmentId }[] {
  const ids = replica.erasures.flatMap(({ body }) =>
    body.targets.flatMap((target) => (target.height === note.height ? target.ids : [])),
  )
  return [...new Set(ids)].map((id) => ({ id, compartment: '' as CompartmentId }))
}

/** The entries of a block whose batch is not whole, unopened: nothing of a delivery counts until all is there. */
export function heldEntries(replica: Replica, height: number): ClosedEntry[] {
  const note = replica.notes[height]
  return Array.from({ length: note?.entries?.count ?? 0 }, (_, i) => ({
    ...placeOf(replica.chain, note as BlockNote, namelessId(i), i),
    compartment: '' as CompartmentId,
    status: 'incomplete' as const,
    rule: 'batch',
  }))
}

/** Stands for an entry whose id went with its object; never equal to a real id, which is 22 characters. */
function namelessId(index: number): EntryId {
  return `?${index}` as EntryId
}

function placeOf(chain: ChainId, note: BlockNote, id: EntryId, index: number) {
  return { id, chain, height: note.height, index, block: note.id, time: note.time }
}

function slice(
  object: Uint8Array | null,
  descriptors: readonly EntryDescriptor[],
  index: number,
): Uint8Array {
  const { start, end } = entryRange(descriptors, index)
  return object?.subarray(start, end) ?? new Uint8Array(0)
}
