// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, toBase64url, utf8 } from '../../bytes/encoding.ts'
import type { Digest } from '../../bytes/ids.ts'
import { keysIn, type BlockEntries } from '../../block/block.ts'
import {
  descriptorLeaf,
  entryRange,
  readDescriptors,
  type EntryDescriptor,
} from '../../block/entries-object.ts'
import { keyRowLeaves, parseKeyRow, type KeyRow } from '../../block/key-row.ts'
import { packagesRoot } from '../../block/packages.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import type { Append } from '../../api/append.ts'
import { readersOf, type ControlState } from '../../chain/state.ts'
import { digestOf, sha256Large } from '../../crypto/hash.ts'
import { AmpereError } from '../../errors.ts'
import { rootOf } from '../../log/merkle.ts'

/**
 * Checks that the sealed parts of an append are exactly what its block names: descriptors, ciphertexts,
 * key row, packages and label key. All of it without being able to open anything.
 * @throws AmpereError BLOCK_REFUSED naming the part that differs
 */
export async function checkParts(parsed: ParsedBlock, append: Append, after: ControlState): Promise<void> {
  const { block } = parsed
  if (block.entries) await checkEntries(block.entries, append)
  else if (append.object !== null || append.row !== null)
    throw refused('a block without entries comes with some')
  if (block.type === 'genesis' || keysIn(block)) checkKeys(parsed, append, after)
  else if (append.packages.length > 0 || append.labelKey !== null) {
    throw refused('packages or a label key come with a block that names none')
  }
}

/** The object's bytes are the entries that the block names, in order, each with its stated hash. */
export async function checkObject(
  entries: BlockEntries,
  object: Uint8Array,
): Promise<readonly EntryDescriptor[]> {
  const descriptors = readDescriptors(object)
  const root = rootOf(descriptors.map(descriptorLeaf))
  if (toBase64url(root) !== entries.root) throw refused('the descriptors are not those of entries.root')
  const bytes = descriptors.reduce((sum, descriptor) => sum + descriptor.size, 0)
  if (descriptors.length !== entries.count || bytes !== entries.bytes) {
    throw refused('count or bytes differ from the descriptors')
  }
  const compartments = [...new Set(descriptors.map((descriptor) => descriptor.compartment))].toSorted()
  if (compartments.join() !== entries.compartments.join())
    throw refused('compartments differ from the descriptors')
  if (new Set(descriptors.map((descriptor) => descriptor.id)).size !== descriptors.length) {
    throw refused('an entry id occurs twice')
  }
  const last = entryRange(descriptors, descriptors.length - 1)
  if (last.end !== object.length) throw refused('the object is longer or shorter than its descriptors say')
  await Promise.all(descriptors.map((descriptor, i) => checkCiphertext(descriptor, i, descriptors, object)))
  return descriptors
}

async function checkCiphertext(
  descriptor: EntryDescriptor,
  index: number,
  descriptors: readonly EntryDescriptor[],
  object: Uint8Array,
): Promise<void> {
  const { start, end } = entryRange(descriptors, index)
  const hash = toBase64url(await sha256Large(object.subarray(start, end)))
  if (hash !== descriptor.hash) throw refused('a ciphertext differs from its descriptor')
}

async function checkEntries(entries: BlockEntries, append: Append): Promise<void> {
  if (append.object === null || append.row === null)
    throw refused('the sealed object or the key row is missing')
  await checkObject(entries, append.object)
  const row = parseKeyRow(utf8(append.row))
  if (rowRoot(row) !== entries.keys) throw refused('the key row is not that of entries.keys')
  if (row.keys.length !== entries.count || row.keys.some((key) => 'erased' in key)) {
    throw refused('the key row does not hold one key per entry')
  }
  const stale = row.envelopes.some((envelope) => envelope.epoch !== entries.epoch)
  const sealedFor = row.envelopes.map((envelope) => envelope.compartment).join()
  if (stale || sealedFor !== entries.compartments.join()) throw refused('the envelopes are for other keys')
}

/** RFC 6962 root over the row's leaves, as `entries.keys` holds it. */
export function rowRoot(row: KeyRow): Digest {
  return toBase64url(rootOf(keyRowLeaves(row))) as Digest
}

function checkKeys(parsed: ParsedBlock, append: Append, after: ControlState): void {
  const { block } = parsed
  const keys = keysIn(block)
  const brings = block.type === 'genesis' ? block.body.labelKeyHash : keys?.epoch?.labelKeyHash
  const labelHash = append.labelKey === null ? undefined : digestOf(fromBase64url(append.labelKey))
  if (labelHash !== brings) throw refused('the label key is not the one that the block names')
  if (!keys) {
    if (append.packages.length > 0) throw refused('a genesis brings no packages')
    return
  }
  const root = append.packages.length === 0 ? null : packagesRoot(append.packages)
  if (root !== keys.packages) throw refused('the packages are not those that the block names')
  if (keys.packages === null) return
  const readers = append.packages.flatMap((item) => (item.kind === 'reader' ? [item.reader] : []))
  const missing = keys.epoch !== null && readersOf(after).some((reader) => !readers.includes(reader))
  if (missing) throw refused('a reader gets no package of the new epoch')
  if (append.packages.some((item) => item.epoch !== after.epoch.number)) {
    throw refused('a package is for another epoch')
  }
}

function refused(what: string): AmpereError {
  return new AmpereError('BLOCK_REFUSED', `append: ${what}`)
}
