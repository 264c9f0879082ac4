// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { asChainId, type ChainId } from '../../bytes/ids.ts'
import { count } from '../../bytes/schema.ts'
import { AmpereError, type ErrorCode } from '../../errors.ts'
import type { Row, WriteTable } from '../../ports/table.ts'
import type { SealedRows } from '../store/sealed-rows.ts'

/** Why a record did not get the new keys that are due, or could not be looked at. */
export const OPEN_REASONS = [
  /** Another controls it. */
  'not-controlled',
  /** A controller was removed from the registry: only a change of the list, which the threshold approves, closes the record to it. */
  'controller-removed',
  /** This institution does not hold the keys of today, which a rotation hands on. */
  'no-keys',
  /** It is at another home. */
  'moved',
  /** The home does not know it, or this institution has no part in it any more. */
  'not-found',
  /** The home refuses the block. */
  'refused',
  /** The home, or its store, does not answer. */
  'unreachable',
  /** What the home shows does not verify. */
  'unverified',
] as const
export type OpenReason = (typeof OPEN_REASONS)[number]

/** A record of which not everything could be done. */
export interface OpenRecord {
  readonly chain: ChainId
  readonly why: OpenReason
  /** Code of the error; empty without one. */
  readonly code: string
  /** Institutions for which new keys are due, as far as that is known. */
  readonly readers: readonly string[]
  /** Since when, in milliseconds since 1970. */
  readonly sinceMs: number
}

/** Records that wait for somebody, in the bridge's own table, sealed: which chains an institution knows is not for its table to say. */
export interface OpenRecords {
  list(): Promise<readonly OpenRecord[]>
  /** Keeps why; since when stays what it was while the reason is the same. */
  put(record: Omit<OpenRecord, 'sinceMs'>, nowMs: number): Promise<void>
  remove(chain: ChainId): Promise<void>
}

const OPEN = 'rotation-open'
const schema = v.strictObject({
  why: v.picklist(OPEN_REASONS),
  code: v.string(),
  readers: v.array(v.string()),
  sinceMs: count,
})

/** Open records in a table. */
export function createOpenRecords(table: WriteTable, rows: SealedRows): OpenRecords {
  const nameOf = (chain: ChainId) => rows.nameOf('rotation-open', chain)
  return {
    list: async () => {
      const found: OpenRecord[] = []
      for (let from = ''; ;) {
        const page = await table.range(OPEN, { from })
        for (const row of page) found.push(await openRow(rows, row))
        const last = page.at(-1)
        if (!last) return found
        from = `${last.key}\u0000`
      }
    },
    put: async ({ chain, ...given }, nowMs) => {
      const key = nameOf(chain)
      const row = await table.get(OPEN, key)
      const before = row ? await openRow(rows, row).catch(() => null) : null
      const isSame = before?.why === given.why && before.code === given.code
      const said = { ...given, sinceMs: isSame ? before.sinceMs : nowMs }
      if (isSame && before.readers.join() === given.readers.join()) return
      // Whoever was first wrote of the same record about now.
      await table.swap(
        OPEN,
        key,
        row?.version ?? null,
        await rows.seal({ chain, said: JSON.stringify(said) }),
      )
    },
    remove: async (chain) => {
      const row = await table.get(OPEN, nameOf(chain))
      if (row) await table.swap(OPEN, row.key, row.version, null)
    },
  }
}

/** What the code of an error says; whatever is not here, the home refuses. */
const BY_CODE: Readonly<Partial<Record<ErrorCode, OpenReason>>> = {
  CHAIN_MOVED: 'moved',
  NOT_FOUND: 'not-found',
  FORBIDDEN: 'no-keys',
  UPSTREAM_FAILED: 'unreachable',
  STORE_UNAVAILABLE: 'unreachable',
  STORE_FULL: 'unreachable',
  STORE_LOCKED: 'unreachable',
  UNEXPECTED: 'unreachable',
  VERIFICATION_FAILED: 'unverified',
  SIGNATURE_INVALID: 'unverified',
  PROOF_INVALID: 'unverified',
  BLOCK_MALFORMED: 'unverified',
  JWS_MALFORMED: 'unverified',
}

/** Which of the reasons an error is. */
export function openReason(code: ErrorCode): OpenReason {
  return BY_CODE[code] ?? 'refused'
}

async function openRow(rows: SealedRows, row: Row): Promise<OpenRecord> {
  const { chain = '', said = '' } = await rows.open(row.value)
  // Whoever holds the table could put the row of one record in the place of another's.
  if (rows.nameOf('rotation-open', chain) !== row.key)
    throw new AmpereError('STORE_CORRUPT', 'a row of a record is in the wrong place')
  return { chain: asChainId(chain), ...v.parse(schema, JSON.parse(said)) }
}
