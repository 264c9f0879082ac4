// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../bytes/encoding.ts'
import type { Digest } from '../../bytes/ids.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import { AmpereError } from '../../errors.ts'
import type { ReadTable } from '../../ports/table.ts'
import { createRegistryHistory, type RegistryHistory } from '../../registry/history.ts'
import { RegistryStates } from './registry-states.ts'
import { heightKey } from './rows.ts'

/** Partition of the registry table that holds its blocks by height. */
export const REGISTRY_PARTITION = 'blocks'

/** The registry as this home holds it. `refresh` reads and verifies what was added since. */
export interface RegistrySource {
  /** Id of the registry that this home serves. */
  readonly pinned: Digest
  refresh(): Promise<RegistryHistory>
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
  let running: Promise<RegistryHistory> | null = null
  const load = async (): Promise<RegistryHistory> => {
    for (;;) {
      const rows = await table.range(REGISTRY_PARTITION, { from: heightKey(history.height() + 1) })
      for (const row of rows) {
        await addStored(history, row.value)
        const link = history.link()
        if (link) states.add(link)
      }
      if (rows.length === 0) return history
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

/** What was admitted kept every rule, so what does not was changed since. @throws AmpereError STORE_CORRUPT */
async function addStored(history: RegistryHistory, value: Uint8Array): Promise<void> {
  try {
    await history.add(fromUtf8(value))
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a stored registry block was changed', { cause })
  }
}
