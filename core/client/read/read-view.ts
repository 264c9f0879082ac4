// SPDX-License-Identifier: Apache-2.0
import type { ClosedEntry, OpenedEntry, RecordView } from '../client.ts'
import type { HomeApi } from '../home-api.ts'
import { heldEntries, openBlockEntries } from './open-entries.ts'
import type { Keyring } from './reader-keys.ts'
import type { BlockNote } from './block-note.ts'
import type { Replica } from './replica.ts'

/** Blocks whose parts are fetched and opened at the same time. */
const PARALLEL_BLOCKS = 8

/** A view that remembers for which replica and keys it was made. */
export interface OpenedView extends RecordView {
  readonly keyring: Keyring
  readonly heldBack: ReadonlySet<number>
}

/**
 * Opens what is new since `before`; opens everything again when keys changed or something was erased,
 * because then entries that were closed may open, and entries that were open must not stay so.
 */
export async function readView(
  api: HomeApi,
  replica: Replica,
  keyring: Keyring,
  before: OpenedView | null,
): Promise<OpenedView> {
  const kept = isStillGood(before, replica, keyring) ? before : null
  // Higher when another read was faster: it is verified, and newer.
  if (kept && kept.height >= replica.head.height) return kept
  const notes = replica.notes.filter(
    (note) => note.entries !== null && !replica.heldBack.has(note.height) && !isOpen(kept, note),
  )
  const opened: OpenedEntry[] = [...(kept?.opened ?? [])]
  const closed: ClosedEntry[] = (kept?.closed ?? []).filter((entry) => entry.status !== 'incomplete')
  for (let i = 0; i < notes.length; i += PARALLEL_BLOCKS) {
    const page = await Promise.all(
      notes.slice(i, i + PARALLEL_BLOCKS).map((note) => openNote(api, replica, keyring, note)),
    )
    for (const result of page) {
      opened.push(...result.opened)
      closed.push(...result.closed)
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

function isStillGood(before: OpenedView | null, replica: Replica, keyring: Keyring): before is OpenedView {
  return before?.keyring === keyring && before.erasures.length === replica.erasures.length
}

/** What `kept` opened already: everything up to its height but what was held back then. */
function isOpen(kept: OpenedView | null, note: BlockNote): boolean {
  return kept !== null && note.height <= kept.height && !kept.heldBack.has(note.height)
}

async function openNote(api: HomeApi, replica: Replica, keyring: Keyring, note: BlockNote) {
  if (!note.entries) return { opened: [], closed: [] }
  const { root, keys } = note.entries
  const [row, object] = await Promise.all([
    api.keyRow(replica.chain, `${root}.${keys}`),
    api.object(replica.chain, root),
  ])
  return openBlockEntries(replica, note, { row, object }, keyring)
}
