// SPDX-License-Identifier: Apache-2.0
import type { ClosedEntry, OpenedEntry, RecordView } from '../client.ts'
import type { HomeApi } from '../home-api.ts'
import { maxObjectBytes } from '../../block/entries-object.ts'
import { groupByWeight, MAX_AUTHOR_OPENED_BYTES, mostOpened, openedBytes } from '../../seal/budget.ts'
import { heldEntries, openBlockEntries, READER_BUDGET } from './open-entries.ts'
import type { Keyring } from './reader-keys.ts'
import type { BlockNote } from './block-note.ts'
import type { Replica } from './replica.ts'

/** Blocks whose parts are fetched and opened at the same time. */
const PARALLEL_BLOCKS = 8
/** Bytes, sealed and plain, that blocks opened at the same time may have together. */
const PARALLEL_BYTES = 256 * 1024 * 1024

/** A view that remembers for which replica and keys it was made. */
export interface OpenedView extends RecordView {
  readonly keyring: Keyring
  readonly heldBack: ReadonlySet<number>
}

/**
 * Opens what is new since `before`; opens everything again when keys changed or something was erased,
 * because then entries that were closed may open, and entries that were open must not stay so. Holds at most
 * `maxAuthorBytes` of what each institution wrote (devices count as one), its first blocks before its later ones.
 */
export async function readView(
  api: HomeApi,
  replica: Replica,
  keyring: Keyring,
  before: OpenedView | null,
  maxAuthorBytes: number = MAX_AUTHOR_OPENED_BYTES,
): Promise<OpenedView> {
  const kept = isStillGood(before, replica, keyring) ? before : null
  // Higher when another read was faster: it is verified, and newer.
  if (kept && kept.height >= replica.head.height) return kept
  const notes = replica.notes.filter(
    (note) => note.entries !== null && !replica.heldBack.has(note.height) && !isOpen(kept, note),
  )
  const opened: OpenedEntry[] = [...(kept?.opened ?? [])]
  const closed: ClosedEntry[] = (kept?.closed ?? []).filter((entry) => entry.status !== 'incomplete')
  const left = createAuthorBudget(replica, opened, maxAuthorBytes)
  for (const group of groupByWeight(notes, weightOf, PARALLEL_BYTES, PARALLEL_BLOCKS)) {
    const page = await Promise.all(
      group.map((note) => openNote(api, replica, keyring, note, left.of(note.kid))),
    )
    for (const result of page) {
      const [held, refused] = left.take(result.opened)
      opened.push(...held)
      closed.push(...result.closed, ...refused)
    }
  }
  // Blocks of a batch that became whole lie below ones that were opened before.
  if (kept && kept.heldBack.size > 0) opened.sort((a, b) => a.height - b.height)
  const waiting = [...replica.heldBack].flatMap((height) => heldEntries(replica, height))
  return {
    chain: replica.chain,
    height: replica.head.height,
    head: replica.head.block,
    registry: replica.head.registry,
    opened,
    closed: [...closed, ...waiting],
    erasures: replica.erasures,
    keyring,
    heldBack: replica.heldBack,
  }
}

/** What a block may need while it is opened, by what its author says of it. */
function weightOf({ entries }: BlockNote): number {
  return entries ? entries.bytes + mostOpened(entries.bytes) : 0
}

/** Counts what is held of each author. Blocks are counted in their order, whichever of a page was opened first. */
function createAuthorBudget(replica: Replica, held: readonly OpenedEntry[], maxBytes: number) {
  const used = new Map<string, number>()
  const owner = (kid: BlockNote['kid']) => replica.authors.get(kid) ?? ''
  const of = (kid: BlockNote['kid']) => maxBytes - (used.get(owner(kid)) ?? 0)
  const fits = (entry: OpenedEntry): boolean => {
    const bytes = openedBytes(entry)
    const author = entry.institution ?? ''
    const total = (used.get(author) ?? 0) + bytes
    if (total > maxBytes) return false
    used.set(author, total)
    return true
  }
  for (const entry of held) fits(entry)
  return {
    of,
    take: (entries: readonly OpenedEntry[]): readonly [readonly OpenedEntry[], readonly ClosedEntry[]] => {
      const kept: OpenedEntry[] = []
      const refused: ClosedEntry[] = []
      for (const entry of entries) {
        if (fits(entry)) kept.push(entry)
        else {
          const { id, chain, height, index, block, time, compartment } = entry
          refused.push({ id, chain, height, index, block, time, compartment, ...READER_BUDGET })
        }
      }
      return [kept, refused]
    },
  }
}

function isStillGood(before: OpenedView | null, replica: Replica, keyring: Keyring): before is OpenedView {
  return before?.keyring === keyring && before.erasures.length === replica.erasures.length
}

/** What `kept` opened already: everything up to its height but what was held back then. */
function isOpen(kept: OpenedView | null, note: BlockNote): boolean {
  return kept !== null && note.height <= kept.height && !kept.heldBack.has(note.height)
}

async function openNote(api: HomeApi, replica: Replica, keyring: Keyring, note: BlockNote, maxBytes: number) {
  if (!note.entries) return { opened: [], closed: [] }
  const { root, keys } = note.entries
  const [row, object] = await Promise.all([
    api.keyRow(replica.chain, `${root}.${keys}`),
    api.object(replica.chain, root, maxObjectBytes(note.entries)),
  ])
  return openBlockEntries(replica, note, { row, object }, keyring, maxBytes)
}
