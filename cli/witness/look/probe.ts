// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '#core/bytes/frame.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { isAmpereError } from '#core/errors.ts'
import type { Checkpoint } from '#core/log/note/checkpoint.ts'
import { MAX_NOTE_BYTES } from '#core/log/note/note.ts'
import { openCheckpoint, type OpenedCheckpoint } from '#core/log/note/open-checkpoint.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import { COSIGNER_AHEAD_SECONDS } from '#core/log/policy/quorum-time.ts'
import { tileReader } from '#core/log/tile/read-tile.ts'
import { rootFromTiles } from '#core/log/tile/read.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { logIdOf } from '#core/server/witness/log-row.ts'
import type { AskedWitness } from '../asked.ts'
import { fetchText } from '../fetch-text.ts'
import type { LookedAt } from './looked-at.ts'

/** What a witness shows of this home's log. */
export interface Shown {
  readonly reachable: boolean
  /** Why nothing of this log can be seen there, or null. */
  readonly why: string | null
  /** What it cosigned last, in leaves and POSIX seconds. */
  readonly cosigned: { readonly size: number; readonly time: number } | null
  /** `rollback`: it has cosigned more than this home has; `fork`: it has cosigned another history. */
  readonly alarm: 'rollback' | 'fork' | null
  /**
   * `ahead` of this computer, or `behind` the time at which the log itself signed, by more than clocks may differ: what it
   * cosigns so is not kept. Null where nothing speaks against its clock.
   */
  readonly clock: 'ahead' | 'behind' | null
}

/** This home's log as it is here. */
export interface OwnLog {
  readonly origin: string
  /** The newest published checkpoint, read after the witness has answered: nothing newer was offered for cosigning. */
  readonly newest: () => Promise<Checkpoint | null>
  readonly tile: LookedAt['tile']
  /** What the clock of this computer says, in POSIX seconds. */
  readonly nowSeconds: number
}

/** Fetches what a witness has cosigned of this log, and compares it with what is stored. Never rejects for what it says. */
export async function probe(fetch: Fetch, policy: Policy, asked: AskedWitness, own: OwnLog): Promise<Shown> {
  const nothing = { reachable: false, cosigned: null, alarm: null, clock: null }
  if (asked.url === null) return { ...nothing, why: 'policy.txt does not say where it is' }
  try {
    const url = `${asked.url.replace(/\/$/, '')}/${logIdOf(own.origin)}/checkpoint`
    const { status, text } = await fetchText(fetch, url, MAX_NOTE_BYTES)
    const why = status === 404 ? UNKNOWN : `it answered ${status}`
    if (status !== 200) return { ...nothing, reachable: true, why }
    return await compared(policy, asked, own, text)
  } catch (error) {
    if (!isAmpereError(error, 'UPSTREAM_FAILED')) throw error
    return { ...nothing, why: error.message }
  }
}

const UNKNOWN = 'it does not know this log, or has cosigned nothing of it: its operator has to accept it'

/** Only what the log's own key signed and the witness's own keys cosigned is believed, so that neither alone raises an alarm. */
async function compared(policy: Policy, asked: AskedWitness, own: OwnLog, note: string): Promise<Shown> {
  const garbled = { reachable: true, cosigned: null, alarm: null, clock: null }
  let opened: OpenedCheckpoint
  try {
    const logs = policy.logs.map(({ key }) => key)
    opened = await openCheckpoint(note, { logs, cosigners: asked.keys }, createVerifiers())
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return { ...garbled, why: 'what it shows is no checkpoint of this log that verifies' }
  }
  const { checkpoint, cosignatures, signedAt } = opened
  if (checkpoint.origin !== own.origin) return { ...garbled, why: 'it shows a checkpoint of another log' }
  if (cosignatures.length < asked.keys.length)
    return { ...garbled, why: 'what it shows is not cosigned by all its keys' }
  const time = Math.min(...cosignatures.map((cosignature) => cosignature.time))
  const alarm = await alarmOf(own, checkpoint)
  const clock = clockOf(time, signedAt, own.nowSeconds)
  return { reachable: true, why: null, cosigned: { size: checkpoint.size, time }, alarm, clock }
}

function clockOf(time: number, signedAt: readonly number[], nowSeconds: number): Shown['clock'] {
  if (time > nowSeconds + COSIGNER_AHEAD_SECONDS) return 'ahead'
  return signedAt.some((signed) => time < signed - COSIGNER_AHEAD_SECONDS) ? 'behind' : null
}

async function alarmOf({ newest, tile }: OwnLog, { size, root }: Checkpoint): Promise<Shown['alarm']> {
  const own = await newest()
  if (!own || own.size < size) return 'rollback'
  if (own.size === size) return equalBytes(own.root, root) ? null : 'fork'
  const before = await rootFromTiles(size, tileReader(tile, own.size))
  return equalBytes(before, root) ? null : 'fork'
}
