// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, toBase64url, utf8 } from '../../bytes/encoding.ts'
import { concat } from '../../bytes/frame.ts'
import { gcmOpen, gcmSeal } from '../../crypto/aead.ts'
import { hmacSha256 } from '../../crypto/hash.ts'
import type { Random } from '../../ports/keys.ts'

/** Rows whose names are keyed hashes and whose values are sealed: the table alone says nothing of patients. */
export interface SealedRows {
  /** Name of a row: HMAC-SHA-256 of what it stands for, under this institution's key. */
  nameOf(kind: string, ...parts: readonly string[]): string
  seal(value: object): Promise<Uint8Array>
  /** @throws AmpereError OPEN_FAILED */
  open(bytes: Uint8Array): Promise<Record<string, string>>
}

/** `key` is the institution's 32-byte secret for its own table. */
export function createSealedRows(key: Uint8Array, random: Random): SealedRows {
  const nameKey = hmacSha256(key, utf8('ampere-bridge-name/v1'))
  const rowKey = hmacSha256(key, utf8('ampere-bridge-row/v1'))
  return {
    nameOf: (kind, ...parts) => toBase64url(hmacSha256(nameKey, utf8([kind, ...parts].join('/')))),
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
