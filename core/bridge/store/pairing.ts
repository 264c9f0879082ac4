// SPDX-License-Identifier: Apache-2.0
import { ALPHABET, CODE_CHARACTERS, shownCode } from '../../bytes/code.ts'
import { asChainId, type ChainId } from '../../bytes/ids.ts'
import { AmpereError } from '../../errors.ts'
import type { Now, Random } from '../../ports/keys.ts'
import type { WriteTable } from '../../ports/table.ts'
import type { SealedRows } from './sealed-rows.ts'

/** Codes by which another institution joins a patient's chain. A code serves one institution, for a day. */
export interface PairingCodes {
  /** A new code for a chain, to be told to the other institution's staff. */
  issue(chain: ChainId): Promise<string>
  /**
   * The chain of a code. From then on the code is `institution`'s, which may ask again when the answer was lost.
   * @throws AmpereError NOT_FOUND (unknown, another institution's, or expired: alike)
   */
  redeem(code: string, institution: string): Promise<Redeemed>
  /** From then on asking again only tells the chain: a grant that was taken away since must not come back. */
  settle(code: string): Promise<void>
}

/** What is behind a code. */
export interface Redeemed {
  readonly chain: ChainId
  /** The grant was made: `settle` was called. */
  readonly isSettled: boolean
}

/** How long a pairing code stays usable: a day. */
export const PAIRING_MS = 86_400_000

/**
 * Codes in the bridge's own table, which holds keyed hashes of them only. One for a patient's device lets in no institution: `kind` keeps them apart,
 * and for a device `institution` is its key id.
 */
export function createPairingCodes(
  table: WriteTable,
  rows: SealedRows,
  ports: { readonly now: Now; readonly random: Random },
  kind: 'pairing' | 'device' = 'pairing',
): PairingCodes {
  return {
    issue: async (chain) => {
      const code = [...ports.random(CODE_CHARACTERS)].map((byte) => ALPHABET[byte & 31] ?? '0').join('')
      const sealed = await rows.seal({ chain, expires: String(ports.now() + PAIRING_MS), usedBy: '' })
      await table.insert(kind, rows.nameOf(kind, code), sealed)
      return shownCode(code)
    },
    redeem: async (code, institution) => {
      const unknown = new AmpereError('NOT_FOUND', 'no such pairing code, or it was used or has expired')
      const name = rows.nameOf(kind, plain(code))
      const row = await table.get(kind, name)
      if (!row) throw unknown
      const { chain = '', expires, usedBy, settled } = await rows.open(row.value)
      if (Number(expires) < ports.now()) throw unknown
      if (usedBy === institution) return { chain: asChainId(chain), isSettled: settled === 'yes' }
      if (usedBy !== '') throw unknown
      // Of two institutions at once one swaps, and the other finds the row changed.
      const taken = await rows.seal({ chain, expires, usedBy: institution })
      if ((await table.swap(kind, name, row.version, taken)) === null) throw unknown
      return { chain: asChainId(chain), isSettled: false }
    },
    settle: async (code) => {
      const name = rows.nameOf(kind, plain(code))
      const row = await table.get(kind, name)
      if (!row) return
      const sealed = await rows.seal({ ...(await rows.open(row.value)), settled: 'yes' })
      await table.swap(kind, name, row.version, sealed)
    },
  }
}

/** As people type it: any case, with or without hyphens, O for 0 and I or L for 1 (Crockford's rules). */
function plain(code: string): string {
  const bare = code.toUpperCase().replaceAll(/[^0-9A-Z]/g, '')
  return bare.replaceAll('O', '0').replaceAll(/[IL]/g, '1')
}
