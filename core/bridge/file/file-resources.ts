// SPDX-License-Identifier: Apache-2.0
import type { IntakeItem } from '../../record/fhir/model.ts'
import { digestOf } from '../../crypto/hash.ts'
import type { FiledEntry, NewEntry } from '../../client/client.ts'
import { encodeHeader, type EntryDraft } from '../../record/entry.ts'
import { resourceKey } from '../../record/current.ts'
import type { Projection, ServedVersion } from '../serve/projection.ts'

/** What became of one resource. */
export interface FiledItem {
  readonly item: IntakeItem
  /** `erased`: it was erased from this record before, so it was not filed again. `refused`: it would update, and must not. */
  readonly outcome: 'created' | 'updated' | 'unchanged' | 'erased' | 'refused'
  /** Where this version lies: its new entry, or the one that holds the same bytes; null for `erased` and `refused`. */
  readonly entry: FiledEntry | null
}

/** What filing needs of the record that it files to. */
export interface Filing {
  readonly projection: Projection
  readonly append: (entries: readonly NewEntry[]) => Promise<readonly FiledEntry[]>
  /** True when the resource, or just this content of it, was erased from the record. */
  readonly isForgotten: (resource: string, content: string) => Promise<boolean>
  /**
   * What counts as there already: bytes that are the current version, or bytes that this very message brought
   * before. A `single` resource is its whole message, and setting it back to an older state is an update.
   */
  readonly resend: 'single' | 'message'
  /** Whether an item may change what is there already; every one may when left out. */
  readonly mayUpdate?: ((item: IntakeItem) => boolean) | undefined
}

/** Drafts as the client takes them. */
export function toNewEntries(drafts: readonly EntryDraft[]): readonly NewEntry[] {
  return drafts.map((draft) => ({
    header: encodeHeader(draft.header),
    content: draft.content,
    compartment: draft.compartment,
  }))
}

/**
 * Files what is new to the record, and says of every item what became of it. What is there already is not filed
 * again, so that sending a message again is harmless.
 */
export async function fileItems(items: readonly IntakeItem[], filing: Filing): Promise<readonly FiledItem[]> {
  const plans = new Map<string, FiledItem>()
  const planned: { item: IntakeItem; plan: FiledItem }[] = []
  for (const item of items) {
    const digest = digestOf(item.draft.content)
    const key = `${resourceKey(item.draft.header)} ${digest}`
    // The same bytes twice in one message are one version.
    const plan = plans.get(key) ?? (await planOne(item, digest, filing))
    plans.set(key, plan)
    planned.push({ item, plan })
  }
  const fresh = [...plans.values()].filter(({ outcome }) => outcome === 'created' || outcome === 'updated')
  const drafts = fresh.map(({ item }) => item.draft)
  const filed = drafts.length === 0 ? [] : await filing.append(toNewEntries(drafts))
  const entries = new Map(fresh.map((plan, i) => [plan, filed[i] ?? null]))
  return planned.map(({ item, plan }) => {
    const repeats = plan.item !== item && plan.outcome !== 'erased' && plan.outcome !== 'refused'
    return { item, outcome: repeats ? 'unchanged' : plan.outcome, entry: entries.get(plan) ?? plan.entry }
  })
}

async function planOne(item: IntakeItem, digest: string, filing: Filing): Promise<FiledItem> {
  const { header } = item.draft
  const erasedSomething = filing.projection.view.erasures.length > 0
  if (erasedSomething && (await filing.isForgotten(resourceKey(header), digest)))
    return { item, outcome: 'erased', entry: null }
  const versions = ownVersions(filing.projection, header)
  const same = versions.find(
    (version, i) =>
      digestOf(version.entry.content) === digest &&
      (i === 0 || (filing.resend === 'message' && version.header.origin.hash === header.origin.hash)),
  )
  if (same) return { item, outcome: 'unchanged', entry: same.entry }
  if (versions.length === 0) return { item, outcome: 'created', entry: null }
  return { item, outcome: filing.mayUpdate?.(item) === false ? 'refused' : 'updated', entry: null }
}

/** Versions of this source's own resource: its resources are served under the ids that it gave them. */
function ownVersions(projection: Projection, header: EntryDraft['header']): readonly ServedVersion[] {
  const versions = projection.resources.get(`${header.type}/${header.id}`)?.versions ?? []
  return versions[0]?.header.source === header.source ? versions : []
}
