// SPDX-License-Identifier: Apache-2.0
import type { IntakeItem } from '../../record/fhir/model.ts'
import { digestOf } from '../../crypto/hash.ts'
import type { ChainId } from '../../bytes/ids.ts'
import type { FiledEntry, NewEntry } from '../../client/client.ts'
import { encodeHeader, type EntryDraft } from '../../record/entry.ts'
import { resourceKey } from '../../record/current.ts'
import type { Projection, ServedVersion } from '../serve/projection.ts'

/** What became of one resource. */
export interface FiledItem {
  readonly item: IntakeItem
  readonly outcome: 'created' | 'updated' | 'unchanged'
  readonly entry: FiledEntry | null
}

/**
 * What of an intake is new to the record: the same resource with the same bytes is not filed twice, so that
 * sending a message again is harmless.
 */
export function planFiling(
  items: readonly IntakeItem[],
  projection: Projection | null,
): readonly { readonly item: IntakeItem; readonly outcome: FiledItem['outcome'] }[] {
  const known = new Map<string, Set<string>>()
  for (const resource of projection?.resources.values() ?? []) {
    for (const version of resource.versions)
      remember(known, resourceKey(version.header), contentDigest(version))
  }
  return items.map((item) => {
    const key = resourceKey(item.draft.header)
    const digest = digestOf(item.draft.content)
    const versions = known.get(key)
    const outcome = versions?.has(digest) === true ? 'unchanged' : versions ? 'updated' : 'created'
    remember(known, key, digest)
    return { item, outcome }
  })
}

/** Drafts as the client takes them. */
export function toNewEntries(drafts: readonly EntryDraft[]): readonly NewEntry[] {
  return drafts.map((draft) => ({
    header: encodeHeader(draft.header),
    content: draft.content,
    compartment: draft.compartment,
  }))
}

/** Files what is new, and says of every item what became of it. */
export async function fileItems(
  append: (chain: ChainId, entries: readonly NewEntry[]) => Promise<readonly FiledEntry[]>,
  chain: ChainId,
  items: readonly IntakeItem[],
  projection: Projection | null,
): Promise<readonly FiledItem[]> {
  const plan = planFiling(items, projection)
  const fresh = plan.filter(({ outcome }) => outcome !== 'unchanged')
  const drafts = fresh.map(({ item }) => item.draft)
  const filed = drafts.length === 0 ? [] : await append(chain, toNewEntries(drafts))
  const entries = new Map(fresh.map(({ item }, i) => [item, filed[i] ?? null]))
  return plan.map(({ item, outcome }) => ({ item, outcome, entry: entries.get(item) ?? null }))
}

function contentDigest(version: ServedVersion): string {
  return digestOf(version.entry.content)
}

function remember(known: Map<string, Set<string>>, key: string, digest: string): void {
  const digests = known.get(key) ?? new Set<string>()
  known.set(key, digests.add(digest))
}
