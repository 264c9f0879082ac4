// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../bytes/encoding.ts'
import type { RecordAnswer } from '../../api/answers.ts'
import { parseJws, type OpenedJws } from '../../block/jws.ts'
import { AmpereError } from '../../errors.ts'
import type { RegistryHistory } from '../../registry/history.ts'
import { recordKey } from '../../registry/records.ts'
import type { RegistryView } from '../../registry/snapshot.ts'
import {
  emptyState,
  proveRecord,
  putRecords,
  recordsIn,
  stateRoot,
  type RegistryState,
} from '../../registry/state.ts'
import type { Home } from '../home.ts'
import type { RegistrarPorts } from '../registrar.ts'
import { REGISTRY_PARTITION } from '../store/registry.ts'
import { heightKey } from '../store/rows.ts'

/** States of earlier heights that are kept: rebuilding one costs the registry's records. */
const MAX_STATES = 16

interface KeptState {
  readonly view: RegistryView
  readonly state: RegistryState
}

/** Proves what the registry said of a record at a height. */
export type RecordProver = (height: number, key: string) => Promise<RecordAnswer>

/**
 * Proofs of single records, present or absent, at any height: bucket, 12 hashes, and the block that names their
 * root. What it gives for a height never changes.
 * @throws AmpereError (the prover) NOT_FOUND for a height that is not there yet, STORE_CORRUPT
 */
export function createRecordProver(ports: RegistrarPorts, home: Home): RecordProver {
  const kept = new Map<number, KeptState>()
  return async (height, key) => {
    const history = await home.registry.refresh()
    if (height > history.height()) throw new AmpereError('NOT_FOUND', 'there is no such registry block yet')
    const jws = await loadJws(ports, height)
    const head = { height, id: jws.id }
    const view = history.viewAt(head)
    if (!view) throw new AmpereError('STORE_CORRUPT', 'a registry block was changed')
    const state = stateAt(history, view, kept)
    if (stateRoot(state) !== (jws.payload as { readonly state?: unknown }).state)
      throw new AmpereError('STORE_CORRUPT', 'the records are not those of the registry block')
    const { bucket, hashes } = proveRecord(state, key)
    return { head, block: jws.compact, proof: { bucket, hashes: [...hashes] } }
  }
}

async function loadJws(ports: RegistrarPorts, height: number): Promise<OpenedJws> {
  const row = await ports.tables.registry.get(REGISTRY_PARTITION, heightKey(height))
  if (!row) throw new AmpereError('STORE_CORRUPT', 'a registry block is missing')
  try {
    return parseJws(fromUtf8(row.value), 'ampere-registry+jws')
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a registry block was changed', { cause })
  }
}

/** Records are never removed, so a state is an earlier one with those records put in place that changed since. */
function stateAt(history: RegistryHistory, view: RegistryView, kept: Map<number, KeptState>): RegistryState {
  const newest = history.link()
  if (!newest || view.head.height === newest.place.height) return newest?.state ?? emptyState()
  const known = kept.get(view.head.height)
  if (known) return known.state
  const base = nearestBelow(kept, view.head.height)
  const changed = [...recordsIn(newest.state)].flatMap((record) => {
    const then = view.get(recordKey(record))
    return then === null || then === base?.view.get(recordKey(record)) ? [] : [then]
  })
  const state = putRecords(base?.state ?? emptyState(), changed)
  kept.set(view.head.height, { view, state })
  const [oldest] = kept.keys()
  if (kept.size > MAX_STATES && oldest !== undefined) kept.delete(oldest)
  return state
}

function nearestBelow(kept: ReadonlyMap<number, KeptState>, height: number): KeptState | null {
  let best = -1
  for (const known of kept.keys()) if (known < height && known > best) best = known
  return kept.get(best) ?? null
}
