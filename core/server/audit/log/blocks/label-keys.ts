// SPDX-License-Identifier: Apache-2.0
import type { ChainId, Digest } from '../../../../bytes/ids.ts'
import { timestampMs, toTimestamp, type Timestamp } from '../../../../bytes/timestamp.ts'
import { fromUtf8 } from '../../../../bytes/encoding.ts'
import { registryLabelKey } from '../../../../block/leaf.ts'
import { parseJws } from '../../../../block/jws.ts'
import { digestOf } from '../../../../crypto/hash.ts'
import { isAmpereError } from '../../../../errors.ts'
import type { Row } from '../../../../ports/table.ts'
import { loadBlock, loadState, parseStored } from '../../../store/rows.ts'
import type { LogAuditPorts } from '../needs.ts'

/** What labels the blocks of a chain, one after the other. */
export interface LabelKeys {
  /** Key for the label of this block and the time in it; null for what the stores do not tell. */
  next(row: Row): Promise<{ readonly key: Uint8Array | null; readonly time: Timestamp | null }>
  /** Key for the label of the next block where that is not stored: null behind one whose state is not known. */
  lost(): Promise<Uint8Array | null>
}

/** The registry's blocks all have its id as their key. */
export function registryLabels(registry: Digest): LabelKeys {
  const key = registryLabelKey(registry)
  return { next: async (row) => ({ key, time: registryTime(row) }), lost: async () => key }
}

/** Begins at a height: the key is that of the state before the block, a genesis has its own. */
export async function chainLabels(ports: LogAuditPorts, chain: ChainId, height: number): Promise<LabelKeys> {
  const parent = height === 0 ? null : await orNull(loadBlock(ports.tables.blocks, chain, height - 1))
  let state: Digest | null = parent?.block.state ?? null
  let isLost = false
  // Record blocks name their parent's state again: most blocks are labelled by the key of the one before.
  let known: { readonly state: Digest; readonly key: Uint8Array | null } | null = null
  const keyAfter = async (hash: Digest | null): Promise<Uint8Array | null> => {
    if (hash === null) return null
    if (known?.state !== hash) known = { state: hash, key: await keyOfState(ports, chain, hash) }
    return known.key
  }
  return {
    next: async (row) => {
      const parsed = await orNull(Promise.resolve().then(() => parseStored(row.value)))
      const block = parsed?.block
      // What is lost before a block may have brought another key, unless the block itself names the state before it.
      const stateBefore = block?.type === 'record' ? block.state : isLost ? null : state
      const key =
        block?.type === 'genesis'
          ? await keyNamed(ports, chain, block.body.labelKeyHash)
          : await keyAfter(stateBefore)
      state = block?.state ?? null
      isLost = false
      return { key, time: block?.time ?? null }
    },
    lost: async () => {
      isLost = true
      return keyAfter(state)
    },
  }
}

async function keyOfState(ports: LogAuditPorts, chain: ChainId, hash: Digest): Promise<Uint8Array | null> {
  const state = await orNull(loadState(ports.tables.states, chain, hash))
  return state && keyNamed(ports, chain, state.labelKeyHash)
}

async function keyNamed({ tables }: LogAuditPorts, chain: ChainId, hash: Digest): Promise<Uint8Array | null> {
  const row = await tables.labels.get(chain, hash)
  return row && digestOf(row.value) === hash ? row.value : null
}

function registryTime(row: Row): Timestamp | null {
  try {
    const { payload } = parseJws(fromUtf8(row.value), 'ampere-registry+jws')
    const { time } = payload as { readonly time?: unknown }
    return typeof time === 'string' ? toTimestamp(timestampMs(time)) : null
  } catch (error) {
    if (isAmpereError(error)) return null
    throw error
  }
}

/** Null for what the store has damaged: the audit of chains names it. */
async function orNull<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading
  } catch (error) {
    if (isAmpereError(error, 'STORE_CORRUPT')) return null
    throw error
  }
}
