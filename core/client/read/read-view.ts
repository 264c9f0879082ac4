// SPDX-License-Identifier: Apache-2.0
import type { ClosedEntry, OpenedEntry, RecordView } from '../client.ts'
import type { HomeApi } from '../home-api.ts'
import { openBlockEntries } from './open-entries.ts'
import type { Keyring } from './reader-keys.ts'
import type { BlockNote, Replica } from './replica.ts'

/** Blocks whose parts are fetched and opened at the same time. */
const PARALLEL_BLOCKS = 8

/** A view that remembers for which replica and keys it was made. */
export interface OpenedView extends RecordView {
  readonly keyring: Keyring
  readonly erasures: number
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
  const stillGood = before && before.keyring === keyring && before.erasures === replica.erasures.length
  const from = stillGood ? before.height + 1 : 0
  const notes = replica.notes.slice(from).filter((note) => note.entries !== null)
  const opened: OpenedEntry[] = stillGood ? [...before.opened] : []
  const closed: ClosedEntry[] = stillGood ? [...before.closed] : []
  for (let i = 0; i < notes.length; i += PARALLEL_BLOCKS) {
    const page = await Promise.all(
      notes.slice(i, i + PARALLEL_BLOCKS).map((note) => openNote(api, replica, keyring, note)),
    )
    for (const result of page) {
      opened.push(...result.opened)
      closed.push(...result.closed)
    }
  }
  return {
    chain: replica.chain,
    height: replica.head.height,
    head: replica.head.block,
    registry: replica.head.registry,
    opened,
    closed,
    keyring,
    erasures: replica.erasures.length,
  }
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
