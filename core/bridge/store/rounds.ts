// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import { count } from '../../bytes/schema.ts'
import type { Now } from '../../ports/keys.ts'
import type { WriteTable } from '../../ports/table.ts'

/** Rounds over all records of an institution, in parts: whichever process comes next goes on where one ended. */
export interface Rounds {
  /** Takes on the next part, unless the last round began less than `everyMs` ago and has ended, or another process is at it. */
  begin(everyMs: number, partMs: number): Promise<RoundPart | null>
}

/** A part of a round, of which this process has the turn. */
export interface RoundPart {
  /** Name of the last patient's row that was done; undefined at the beginning. */
  readonly after: string | undefined
  /** @param after the last patient that was done; null when the round has ended */
  end(after: string | null): Promise<void>
}

const ROUND = { partition: 'turn', key: 'check' } as const
/** When the round began, until when one process has the turn, and how far it came; null once it has ended. */
const schema = v.strictObject({ beganMs: count, untilMs: count, after: v.nullable(v.string()) })
type Round = v.InferOutput<typeof schema>

/** Rounds in the bridge's own table. */
export function createRounds(table: WriteTable, { now }: { readonly now: Now }): Rounds {
  const { partition, key } = ROUND
  const put = (expected: string | null, round: Round) =>
    table.swap(partition, key, expected, utf8(JSON.stringify(round)))
  return {
    begin: async (everyMs, partMs) => {
      const row = await table.get(partition, key)
      const round = row ? readRound(row.value) : null
      const nowMs = now()
      if (round && (round.untilMs > nowMs || (round.after === null && round.beganMs + everyMs > nowMs)))
        return null
      const goesOn = round !== null && round.after !== null
      const { beganMs, after } = goesOn ? round : { beganMs: nowMs, after: '' }
      const turn = await put(row?.version ?? null, { beganMs, untilMs: nowMs + partMs, after })
      if (turn === null) return null
      return {
        after: after === '' || after === null ? undefined : after,
        end: async (done) => void (await put(turn, { beganMs, untilMs: 0, after: done })),
      }
    },
  }
}

/** What cannot be read begins anew: a round says nothing that has to be kept. */
function readRound(value: Uint8Array): Round | null {
  try {
    return v.parse(schema, JSON.parse(fromUtf8(value)))
  } catch {
    return null
  }
}
