// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, toBase64url, utf8 } from '../../bytes/encoding.ts'
import { concat } from '../../bytes/frame.ts'
import { asChainId, type ChainId } from '../../bytes/ids.ts'
import { gcmOpen, gcmSeal } from '../../crypto/aead.ts'
import { hmacSha256 } from '../../crypto/hash.ts'
import { AmpereError } from '../../errors.ts'
import type { Now, Random } from '../../ports/keys.ts'
import type { WriteTable } from '../../ports/table.ts'

/** Which chain a patient of this institution has. Ids are kept as keyed hashes, chains sealed. */
export interface PatientIndex {
  find(patientId: string): Promise<ChainId | null>
  /** Links for ever; linking to another chain throws ALREADY_EXISTS. */
  link(patientId: string, chain: ChainId): Promise<void>
  /** Ids of all patients that are linked here. */
  list(): Promise<readonly { readonly id: string; readonly chain: ChainId }[]>
  /** A single-use code that lets another institution join a chain for `PAIRING_MS`. */
  issueCode(chain: ChainId): Promise<string>
  /** The chain of a code, which is used up. @throws AmpereError NOT_FOUND (unknown, used or expired alike) */
  redeemCode(code: string): Promise<ChainId>
}

/** How long a pairing code stays usable: a day. */
export const PAIRING_MS = 86_400_000
/** Crockford's alphabet: no letters that are read as digits. 12 characters are 60 bits. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const CODE_LENGTH = 12

/** An index in the bridge's own table. `key` is the institution's 32-byte secret for it. */
export function createPatientIndex(
  table: WriteTable,
  key: Uint8Array,
  ports: { readonly now: Now; readonly random: Random },
): PatientIndex {
  const rows = createSealedRows(key, ports.random)
  const find = async (patientId: string): Promise<ChainId | null> => {
    const row = await table.get('patient', rows.nameOf('patient', patientId))
    return row ? asChainId((await rows.open(row.value))['chain'] ?? '') : null
  }
  return {
    find,
    link: async (patientId, chain) => {
      const sealed = await rows.seal({ id: patientId, chain })
      const outcome = await table.insert('patient', rows.nameOf('patient', patientId), sealed)
      if (outcome === 'exists' && (await find(patientId)) !== chain) {
        throw new AmpereError('ALREADY_EXISTS', 'the patient is linked to another chain')
      }
    },
    list: async () => {
      const found = await table.range('patient')
      const opened = await Promise.all(found.map((row) => rows.open(row.value)))
      return opened.map((row) => ({ id: row['id'] ?? '', chain: asChainId(row['chain'] ?? '') }))
    },
    issueCode: async (chain) => {
      const code = [...ports.random(CODE_LENGTH)].map((byte) => ALPHABET[byte & 31] ?? '0').join('')
      const sealed = await rows.seal({ chain, expires: String(ports.now() + PAIRING_MS) })
      await table.insert('pairing', rows.nameOf('pairing', code), sealed)
      return code.replace(/(.{4})(?=.)/g, '$1-')
    },
    redeemCode: (code) => redeem(table, rows, ports.now(), code),
  }
}

async function redeem(table: WriteTable, rows: SealedRows, nowMs: number, code: string): Promise<ChainId> {
  const name = rows.nameOf('pairing', code.toUpperCase().replaceAll(/[^0-9A-Z]/g, ''))
  const row = await table.get('pairing', name)
  const content = row ? await rows.open(row.value) : null
  const unknown = new AmpereError('NOT_FOUND', 'no such pairing code, or it was used or has expired')
  if (!row || !content || Number(content['expires']) < nowMs) throw unknown
  // Removing it is the use: of two at once, one removes and the other finds it gone.
  if ((await table.swap('pairing', name, row.version, null)) === null) throw unknown
  return asChainId(content['chain'] ?? '')
}

/** Rows whose names are keyed hashes and whose values are sealed: the table alone says nothing of patients. */
interface SealedRows {
  nameOf(kind: string, text: string): string
  seal(value: object): Promise<Uint8Array>
  open(bytes: Uint8Array): Promise<Record<string, string>>
}

function createSealedRows(key: Uint8Array, random: Random): SealedRows {
  const nameKey = hmacSha256(key, utf8('ampere-bridge-name/v1'))
  const rowKey = hmacSha256(key, utf8('ampere-bridge-row/v1'))
  return {
    nameOf: (kind, text) => toBase64url(hmacSha256(nameKey, utf8(`${kind}/${text}`))),
    seal: async (value) => {
      const nonce = random(12)
      return concat(nonce, await gcmSeal(rowKey, nonce, utf8(JSON.stringify(value))))
    },
    open: async (bytes) =>
      JSON.parse(fromUtf8(await gcmOpen(rowKey, bytes.subarray(0, 12), bytes.subarray(12)))) as Record<
        string,
        string
      >,
  }
}
