// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../bytes/encoding.ts'
import type { Digest, Kid } from '../../bytes/ids.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import { AmpereError } from '../../errors.ts'
import type { ReadTable, Row } from '../../ports/table.ts'
import { createRegistryHistory, type RegistryHistory } from '../../registry/history.ts'
import { withRevoked, type Revocation } from '../../registry/revocation.ts'
import type { RegistryView } from '../../registry/snapshot.ts'
import { RegistryStates } from './registry-states.ts'
import { heightKey } from './rows.ts'
import { isShownKey, openShown, type ShownRevocation } from './shown.ts'

/**
 * Partition of the registry table that holds its blocks by height, and behind them the revocations that were shown to this home:
 * one read of what is new has both, so that no request costs more for them.
 */
export const REGISTRY_PARTITION = 'blocks'

/** Rows that a range gives at most. */
const MAX_RANGE_ROWS = 1000

/** The registry as a home holds it. */
export interface HeldRegistry extends RegistryHistory {
  /** What this home goes by now: the newest view, with every key revoked whose revocation was shown here. */
  newest(): RegistryView
  /** The newest view as the registry itself has it. */
  said(): RegistryView
  /** What was shown here, in the registry or not, in order of key ids. */
  shown(): readonly ShownRevocation[]
}

/** The registry as this home holds it. `refresh` reads and verifies what was added since. */
export interface RegistrySource {
  /** Id of the registry that this home serves. */
  readonly pinned: Digest
  refresh(): Promise<HeldRegistry>
  /** The state at each height that the last refresh had. */
  readonly states: Pick<RegistryStates, 'height' | 'prove'>
}

/**
 * A verified registry over the home's own table. The table is not trusted: each block is verified, once.
 * Refreshing costs one range read; two refreshes at once share it.
 */
export function createRegistrySource(table: ReadTable, pinned: Digest, verifiers: Verifiers): RegistrySource {
  const history = createRegistryHistory(pinned, verifiers)
  const states = new RegistryStates()
  const shown = new Map<string, ShownRevocation>()
  const held = heldRegistry(history, shown)
  let running: Promise<HeldRegistry> | null = null
  const load = async (): Promise<HeldRegistry> => {
    for (let from = heightKey(history.height() + 1); ;) {
      const rows = await table.range(REGISTRY_PARTITION, { from })
      const blocks = rows.filter(({ key }) => !isShownKey(key))
      for (const row of blocks) {
        await addStored(history, row.value)
        const link = history.link()
        if (link) states.add(link)
      }
      await addShown(rows)
      if (blocks.length === 0 && rows.length < MAX_RANGE_ROWS) return held
      from = blocks.length === 0 ? `${rows.at(-1)?.key ?? ''}\u0000` : heightKey(history.height() + 1)
    }
  }
  /** One that was shown before its key was known here cannot be: it is judged by the registry that whoever stored it had. */
  const addShown = async (rows: readonly Row[]): Promise<void> => {
    for (const row of rows) {
      if (isShownKey(row.key) && !shown.has(row.key))
        shown.set(row.key, await openShown(row, history.newest(), verifiers))
    }
  }
  return {
    pinned,
    states,
    refresh: () => {
      running ??= load().finally(() => {
        running = null
      })
      return running
    },
  }
}

function heldRegistry(history: RegistryHistory, shown: ReadonlyMap<string, ShownRevocation>): HeldRegistry {
  const revoked = (): ReadonlyMap<Kid, Revocation> =>
    new Map([...shown.values()].map(({ revocation }) => [revocation.kid, revocation]))
  return {
    ...history,
    newest: () => withRevoked(history.newest(), revoked()),
    said: () => history.newest(),
    shown: () => [...shown].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each),
  }
}

/** What was admitted kept every rule, so what does not was changed since. @throws AmpereError STORE_CORRUPT */
async function addStored(history: RegistryHistory, value: Uint8Array): Promise<void> {
  try {
    await history.add(fromUtf8(value))
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a stored registry block was changed', { cause })
  }
}
