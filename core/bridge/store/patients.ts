// SPDX-License-Identifier: Apache-2.0
import { asChainId, type ChainId } from '../../bytes/ids.ts'
import { AmpereError } from '../../errors.ts'
import type { Row, WriteTable } from '../../ports/table.ts'
import type { SealedRows } from './sealed-rows.ts'

/** Which chain a patient of this institution has. Ids are kept as keyed hashes, chains sealed. */
export interface PatientIndex {
  find(patientId: string): Promise<ChainId | null>
  /** Links for ever; linking to another chain throws ALREADY_EXISTS. */
  link(patientId: string, chain: ChainId): Promise<void>
  /** All patients that are linked here, in the order of their rows' names; with `after` those whose rows come later. */
  list(after?: string): Promise<readonly LinkedPatient[]>
  /** The patient whose row has this name, as `nameOf('patient', id)` gives it; null when there is none. */
  byName(name: string): Promise<LinkedPatient | null>
}

export interface LinkedPatient {
  readonly id: string
  readonly chain: ChainId
  /** Name of its row: a keyed hash, which says nothing. */
  readonly name: string
}

/** An index in the bridge's own table. */
export function createPatientIndex(table: WriteTable, rows: SealedRows): PatientIndex {
  const byName = async (name: string): Promise<LinkedPatient | null> => {
    const row = await table.get('patient', name)
    return row ? openLink(rows, row) : null
  }
  const find = async (patientId: string) => (await byName(rows.nameOf('patient', patientId)))?.chain ?? null
  return {
    find,
    byName,
    link: async (patientId, chain) => {
      const sealed = await rows.seal({ id: patientId, chain })
      const outcome = await table.insert('patient', rows.nameOf('patient', patientId), sealed)
      if (outcome === 'exists' && (await find(patientId)) !== chain) {
        throw new AmpereError('ALREADY_EXISTS', 'the patient is linked to another chain')
      }
    },
    list: async (after) => {
      const found: LinkedPatient[] = []
      for (let from = after === undefined ? '' : `${after}\u0000`; ;) {
        const page = await table.range('patient', { from })
        for (const row of page) found.push(await openLink(rows, row))
        const last = page.at(-1)
        if (!last) return found
        from = `${last.key}\u0000`
      }
    },
  }
}

async function openLink(rows: SealedRows, row: Row): Promise<LinkedPatient> {
  const { id = '', chain = '' } = await rows.open(row.value)
  // Whoever holds the table could put the row of one patient in the place of another's.
  if (rows.nameOf('patient', id) !== row.key)
    throw new AmpereError('STORE_CORRUPT', 'a row of a patient is in the wrong place')
  return { id, chain: asChainId(chain), name: row.key }
}
