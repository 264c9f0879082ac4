// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../bytes/encoding.ts'
import type { RecordAnswer } from '../../api/answers.ts'
import { parseJws, type OpenedJws } from '../../block/jws.ts'
import { AmpereError } from '../../errors.ts'
import type { Home } from '../home.ts'
import type { RegistrarPorts } from '../registrar.ts'
import { REGISTRY_PARTITION } from '../store/registry.ts'
import { heightKey } from '../store/rows.ts'

/** Proves what the registry said of a record at a height. */
export type RecordProver = (height: number, key: string) => Promise<RecordAnswer>

/**
 * Proofs of single records, present or absent, at any height: bucket, 12 hashes, and the block that names their
 * root. What it gives for a height never changes.
 * @throws AmpereError (the prover) NOT_FOUND for a height that is not there yet, STORE_CORRUPT
 */
export function createRecordProver(ports: RegistrarPorts, home: Home): RecordProver {
  return async (height, key) => {
    const history = await home.registry.refresh()
    const { states } = home.registry
    if (height > states.height()) throw new AmpereError('NOT_FOUND', 'there is no such registry block yet')
    const jws = await loadJws(ports, height)
    const head = { height, id: jws.id }
    if (!history.viewAt(head)) throw new AmpereError('STORE_CORRUPT', 'a registry block was changed')
    const { proof, root } = states.prove(height, key)
    if (root !== (jws.payload as { readonly state?: unknown }).state)
      throw new AmpereError('STORE_CORRUPT', 'the records are not those of the registry block')
    return { head, block: jws.compact, proof: { bucket: proof.bucket, hashes: [...proof.hashes] } }
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
