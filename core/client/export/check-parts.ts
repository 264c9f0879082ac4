// SPDX-License-Identifier: Apache-2.0
import { toBase64url, utf8 } from '../../bytes/encoding.ts'
import { entryRange, type EntryDescriptor } from '../../block/entries-object.ts'
import { checkedRow, type KeyRow } from '../../block/key-row.ts'
import type { Link } from '../../chain/state.ts'
import { sha256Large } from '../../crypto/hash.ts'
import { checkedDescriptors } from '../read/open-entries.ts'
import type { BlockStatus } from '../read/status.ts'
import type { ExportParts } from './read-lines.ts'

/** Something that is wrong with a block's stored parts, with the check that shows it. */
export interface ExportProblem {
  readonly height: number
  readonly status: Extract<BlockStatus, 'missing' | 'tampered' | 'forked' | 'overdue' | 'late' | 'suspect'>
  readonly rule: string
  readonly detail: string
}

/** What the parts of one block show. */
export interface CheckedBlock {
  readonly problems: readonly ExportProblem[]
  /** Entries whose keys are destroyed by order of the chain. */
  readonly erased: number
  /** Entries that are ordered to be erased and whose keys are there all the same. */
  readonly kept: number
}

/** Which entries of a height completed erasures name, or all of them. */
export type ErasedAt = (height: number) => ReadonlySet<string> | 'all'

/** Checks the key row and the sealed object of a block with entries: without a key that opens anything. */
export async function checkBlockParts(
  link: Link,
  parts: ExportParts,
  erasedAt: ErasedAt,
): Promise<CheckedBlock> {
  const { height, entries } = link.opened.block
  if (!entries) return { problems: [], erased: 0, kept: 0 }
  const problem = (status: ExportProblem['status'], rule: string, detail: string): ExportProblem[] => [
    { height, status, rule, detail },
  ]
  const text = parts.rows.get(`${entries.root}.${entries.keys}`)
  const row = text === undefined ? null : checkedRow(entries, utf8(text))
  const ofRow =
    text === undefined
      ? problem('missing', 'keys-row', 'the key row is not in the file')
      : row
        ? []
        : problem('tampered', 'keys-root', 'the key row differs from what was signed')
  const ordered = erasedAt(height)
  const object = parts.objects.get(entries.root)
  const descriptors = object ? checkedDescriptors(entries, object) : null
  const { tombstones, buried, kept } = graves(row, ordered, descriptors)
  // Whoever holds the store can put a tombstone anywhere; only the chain says what was erased.
  const dug =
    tombstones > buried ? problem('missing', 'keys-row', 'a key was destroyed without an erasure') : []
  const isGone = ordered === 'all' || buried >= entries.count
  const absent = isGone ? [] : problem('missing', 'object', 'the sealed object is not in the file')
  const ofObject = object ? await checkObject(descriptors, object, problem) : absent
  return { problems: [...ofRow, ...dug, ...ofObject], erased: buried, kept }
}

interface Graves {
  readonly tombstones: number
  /** Tombstones that are ordered. */
  readonly buried: number
  /** Keys that are ordered to be destroyed and are not. */
  readonly kept: number
}

/** How far a row carries out what is ordered. Without descriptors nobody knows which key is whose. */
function graves(
  row: KeyRow | null,
  ordered: ReadonlySet<string> | 'all',
  descriptors: readonly EntryDescriptor[] | null,
): Graves {
  const keys = row?.keys ?? []
  const tombstones = keys.filter((key) => 'erased' in key).length
  if (ordered !== 'all' && !descriptors) {
    const buried = Math.min(tombstones, ordered.size)
    return { tombstones, buried, kept: Math.min(keys.length, ordered.size) - buried }
  }
  const aimed = keys.filter((_, i) => ordered === 'all' || ordered.has(descriptors?.[i]?.id ?? ''))
  const buried = aimed.filter((key) => 'erased' in key).length
  return { tombstones, buried, kept: aimed.length - buried }
}

async function checkObject(
  descriptors: readonly EntryDescriptor[] | null,
  object: Uint8Array,
  problem: (status: 'tampered', rule: string, detail: string) => ExportProblem[],
): Promise<ExportProblem[]> {
  if (!descriptors)
    return problem('tampered', 'entries-root', 'the sealed object differs from what was signed')
  const found: ExportProblem[] = []
  for (const [i, descriptor] of descriptors.entries()) {
    const { start, end } = entryRange(descriptors, i)
    const hash = toBase64url(await sha256Large(object.subarray(start, end)))
    if (hash !== (descriptor.hash as string))
      found.push(...problem('tampered', 'entry-hash', `entry ${i} differs from its descriptor`))
  }
  return found
}

/** The erasures that a chain's blocks complete. */
export function erasedBy(links: readonly Link[]): ErasedAt {
  const ids = new Map<number, Set<string>>()
  let ended = -1
  for (const { opened } of links) {
    const { block } = opened
    if (block.type !== 'erase' || block.body.act !== 'complete') continue
    if (block.body.scope === 'record') ended = block.height
    for (const target of block.body.targets) {
      const known = ids.get(target.height) ?? new Set<string>()
      for (const id of target.ids) known.add(id)
      ids.set(target.height, known)
    }
  }
  return (height) => (height < ended ? 'all' : (ids.get(height) ?? new Set()))
}
