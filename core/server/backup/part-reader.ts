// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../../crypto/hash.ts'
import { AmpereError } from '../../errors.ts'
import type { FetchObjects } from '../../ports/objects.ts'
import {
  BEGIN_NAME,
  MANIFEST_NAME,
  parseBegin,
  parseManifest,
  partName,
  type Begin,
  type Manifest,
} from './format/manifest.ts'
import { decodePart, type Part } from './format/part.ts'
import { BEGINNING, comparePlaces, type Place } from './format/place.ts'

/** Parts that are kept in memory: a chain may begin in one and end in the next. */
const KEPT = 3

/** A part, its items by kind and name. */
export interface ReadPart extends Omit<Part, 'items'> {
  readonly items: ReadonlyMap<string, Uint8Array>
}

/** Reads parts whole, and holds each against the manifest. */
export interface PartReader {
  readonly count: number
  /** Null beyond the last one. @throws AmpereError STORE_CORRUPT for one that is missing or changed */
  read(index: number): Promise<ReadPart | null>
  /** The last part that begins at this place or before it. */
  indexAt(place: Place): number
  /** Index of the part that was read last. */
  lastRead(): number
}

/**
 * Opens a backup that is whole.
 * @throws AmpereError NOT_FOUND where there is none; STORE_CORRUPT for one that is damaged or was never finished; STORE_VERSION
 */
export async function openBackup(
  files: FetchObjects,
): Promise<{ readonly begin: Begin; readonly manifest: Manifest }> {
  const first = await files.fetch(BEGIN_NAME)
  if (!first) throw new AmpereError('NOT_FOUND', 'there is no backup')
  const begin = parseBegin(first)
  const last = await files.fetch(MANIFEST_NAME)
  if (!last) throw new AmpereError('STORE_CORRUPT', 'the backup has no manifest: it was never finished')
  const manifest = parseManifest(last)
  if (manifest.backup !== digestOf(first))
    throw new AmpereError('STORE_CORRUPT', 'the manifest is of another backup, or what it is of was changed')
  checkOrder(manifest)
  return { begin, manifest }
}

function checkOrder({ parts }: Manifest): void {
  const isInOrder = parts.every(({ from }, i) => {
    const before = parts[i - 1]?.from
    return before ? comparePlaces(before, from) < 0 : comparePlaces(BEGINNING, from) === 0
  })
  if (!isInOrder) throw new AmpereError('STORE_CORRUPT', 'the manifest of the backup was changed')
}

/** Reads the parts that a manifest names. */
export function openParts(files: FetchObjects, { backup, parts }: Manifest): PartReader {
  const kept = new Map<number, ReadPart>()
  let last = 0
  const load = async (index: number): Promise<ReadPart> => {
    const expected = parts[index]
    const bytes = await files.fetch(partName(index))
    const isSame = bytes && bytes.length === expected?.bytes && digestOf(bytes) === expected.hash
    if (!isSame)
      throw new AmpereError(
        'STORE_CORRUPT',
        `part ${index} of the backup is ${bytes ? 'not as it was written' : 'missing'}`,
      )
    const { items, ...part } = decodePart(bytes)
    if (part.backup !== backup || comparePlaces(part.from, expected.from) !== 0)
      throw new AmpereError('STORE_CORRUPT', `part ${index} of the backup is of another one`)
    return { ...part, items: new Map(items.map(({ kind, name, bytes: of }) => [`${kind} ${name}`, of])) }
  }
  return {
    count: parts.length,
    read: async (index) => {
      if (index >= parts.length) return null
      last = index
      const part = kept.get(index) ?? (await load(index))
      kept.delete(index)
      kept.set(index, part)
      for (const oldest of kept.keys()) {
        if (kept.size <= KEPT) break
        kept.delete(oldest)
      }
      return part
    },
    indexAt: (place) => {
      let [low, high] = [0, parts.length]
      while (low < high) {
        const middle = (low + high) >> 1
        const from = parts[middle]?.from
        if (from && comparePlaces(from, place) <= 0) low = middle + 1
        else high = middle
      }
      return Math.max(low - 1, 0)
    },
    lastRead: () => last,
  }
}
