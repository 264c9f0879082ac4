// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import type { RecordDue } from '../../client/acts/rotation/rotate-due.ts'
import { isAmpereError } from '../../errors.ts'
import { openReason, type OpenReason } from './open-records.ts'
import type { RotationPorts } from './ports.ts'
import { loadRotation, saveRotation, type RotationRow } from './row.ts'

/** How often records are looked at although nothing was revoked, in milliseconds: for grants that ended. */
export const ROUND_MS = 3_600_000
/** After how long records are looked at again of which not all could be done, in milliseconds. */
const RETRY_MS = 300_000
/** How often the registry is asked for its news while nothing is due, in milliseconds. */
const NEWS_MS = 300_000
/** After how long a process that kept nothing is taken for dead, in milliseconds. */
const TURN_MS = 120_000
/** After so many records that needed nothing it is kept how far the round came. */
const KEEP_EVERY = 32
const MINUTE_MS = 60_000

/** What a slice came to, and when the next one may do something. */
export interface Slice {
  /**
   * `done`: the round has ended. `idle`: none was due. `time`, `limit`: there is more, and time was up or the minute's share
   * used. `busy`: another process is at it, or changed the row meanwhile. `paused`: until somebody resumes it.
   */
  readonly outcome: 'done' | 'idle' | 'time' | 'limit' | 'busy' | 'paused'
  /** In milliseconds since 1970. */
  readonly nextMs: number
}

/** A round that this process has the turn of. */
interface Turn {
  row: RotationRow
  /** Null once another process changed the row: then nothing more is done here. */
  version: string | null
  looked: number
}

/** Goes on with the round that there is, or begins one where something may be due. @throws AmpereError of the own table; KEY_UNAVAILABLE */
export async function runSlice(ports: RotationPorts, endMs: number): Promise<Slice> {
  const { table, now } = ports
  const kept = await loadRotation(table)
  if (kept.row.paused) return { outcome: 'paused', nextMs: now() + NEWS_MS }
  if (kept.row.untilMs > now()) return { outcome: 'busy', nextMs: kept.row.untilMs }
  const mark = await ports.rotator.mark()
  const begun = nextRound(kept.row, mark, now())
  const isRetry = begun === null && kept.row.open > 0 && (kept.row.endedMs ?? 0) + RETRY_MS <= now()
  if (!begun && !isRetry) return { outcome: 'idle', nextMs: now() + NEWS_MS }
  const row = begun ?? kept.row
  const version = await saveRotation(table, kept.version, { ...row, untilMs: now() + TURN_MS })
  if (version === null) return { outcome: 'busy', nextMs: now() }
  const turn: Turn = { row, version, looked: 0 }
  return isRetry ? tryAgain(ports, turn, endMs) : goOn(ports, turn, endMs)
}

/** The round to go on with; null where nothing can be due. */
function nextRound(row: RotationRow, mark: string, nowMs: number): RotationRow | null {
  const isNews = row.mark !== mark
  if (!isNews && row.endedMs === null) return row
  if (!isNews && row.beganMs + ROUND_MS > nowMs) return null
  return { ...row, mark, beganMs: nowMs, endedMs: null, after: '', looked: 0, rotated: 0, open: 0 }
}

async function goOn(ports: RotationPorts, turn: Turn, endMs: number): Promise<Slice> {
  const { patients, open, now } = ports
  const opened = new Set((await open.list()).map(({ chain }) => chain))
  const seen = new Set<ChainId>()
  for (const { chain, name } of await patients.list(turn.row.after === '' ? undefined : turn.row.after)) {
    if (now() >= endMs && seen.size > 0) return leave(ports, turn, { outcome: 'time', nextMs: now() })
    const step = seen.has(chain) ? 'nothing' : await doRecord(ports, turn, chain, opened)
    if (step === 'limit')
      return leave(ports, turn, { outcome: 'limit', nextMs: turn.row.minuteMs + MINUTE_MS })
    seen.add(chain)
    turn.row = { ...turn.row, after: name, looked: turn.row.looked + 1 }
    if (step === 'rotated' || ++turn.looked % KEEP_EVERY === 0) await keep(ports, turn, TURN_MS)
    if (turn.version === null) return { outcome: 'busy', nextMs: now() }
  }
  turn.row = { ...turn.row, endedMs: now() }
  return leave(ports, turn, { outcome: 'done', nextMs: now() + NEWS_MS })
}

/** Looks again at the records alone of which not all could be done: with many records a whole round would cost too much for few. */
async function tryAgain(ports: RotationPorts, turn: Turn, endMs: number): Promise<Slice> {
  const { open, now } = ports
  const waiting = (await open.list()).filter(({ why }) => isOurs(why))
  const opened = new Set(waiting.map(({ chain }) => chain))
  turn.row = { ...turn.row, open: 0 }
  for (const [at, { chain }] of waiting.entries()) {
    const step = now() >= endMs && at > 0 ? 'limit' : await doRecord(ports, turn, chain, opened)
    if (step === 'limit') {
      // What was not reached is still open, and is tried again after the same time.
      turn.row = { ...turn.row, open: turn.row.open + waiting.length - at }
      break
    }
    await keep(ports, turn, TURN_MS)
    if (turn.version === null) return { outcome: 'busy', nextMs: now() }
  }
  turn.row = { ...turn.row, endedMs: now() }
  return leave(ports, turn, { outcome: 'done', nextMs: now() + NEWS_MS })
}

/** What another controls waits for nobody here. */
function isOurs(why: OpenReason): boolean {
  return why !== 'not-controlled'
}

/** One record: what is due of it, as far as this minute's share allows. What cannot be done does not hold up the others. */
async function doRecord(
  ports: RotationPorts,
  turn: Turn,
  chain: ChainId,
  opened: ReadonlySet<ChainId>,
): Promise<'nothing' | 'rotated' | 'limit'> {
  const { open, now } = ports
  let readers: readonly string[] = []
  try {
    const due = await ports.rotator.due(chain)
    readers = due.readers
    if (due.chains.length > 0 && !hasShare(turn, due.chains.length, now())) return 'limit'
    await rotateAll(ports, turn, due)
    if (due.why !== null) await stayOpen(ports, turn, { chain, why: due.why, code: '', readers })
    else if (opened.has(chain)) await open.remove(chain)
    return due.chains.length > 0 ? 'rotated' : 'nothing'
  } catch (error) {
    // Without the key no record can be done: the next slice tries again.
    if (!isAmpereError(error) || error.code === 'KEY_UNAVAILABLE') throw error
    await stayOpen(ports, turn, { chain, why: openReason(error.code), code: error.code, readers })
    return 'nothing'
  }
}

async function rotateAll({ rotator, now }: RotationPorts, turn: Turn, due: RecordDue): Promise<void> {
  for (const chain of due.chains) {
    const beganMs = now()
    const isAdded = await rotator.rotate(chain)
    const { row } = turn
    const spentMs = row.spentMs + Math.max(0, now() - beganMs)
    const more = isAdded ? 1 : 0
    turn.row = {
      ...row,
      inMinute: row.inMinute + 1,
      rotated: row.rotated + more,
      allRotated: row.allRotated + more,
      spentMs,
    }
  }
}

async function stayOpen(
  { open, now }: RotationPorts,
  turn: Turn,
  record: Parameters<RotationPorts['open']['put']>[0],
): Promise<void> {
  await open.put(record, now())
  if (isOurs(record.why)) turn.row = { ...turn.row, open: turn.row.open + 1 }
}

/** Whether so many chains fit in this minute's share; the first always does, so that a share of one is enough. */
function hasShare(turn: Turn, chains: number, nowMs: number): boolean {
  const { minuteMs, inMinute, perMinute } = turn.row
  const isOver = nowMs - minuteMs >= MINUTE_MS || nowMs < minuteMs
  if (isOver) turn.row = { ...turn.row, minuteMs: nowMs, inMinute: 0 }
  return isOver || inMinute === 0 || inMinute + chains <= perMinute
}

/** Keeps how far it came, and the turn for so long. */
async function keep({ table, now }: RotationPorts, turn: Turn, forMs: number): Promise<void> {
  const untilMs = forMs === 0 ? 0 : now() + forMs
  turn.version = await saveRotation(table, turn.version, { ...turn.row, untilMs })
}

async function leave(ports: RotationPorts, turn: Turn, slice: Slice): Promise<Slice> {
  await keep(ports, turn, 0)
  return turn.version === null ? { outcome: 'busy', nextMs: ports.now() } : slice
}
