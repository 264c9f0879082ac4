// SPDX-License-Identifier: Apache-2.0
import { isCapable, type Terminal } from './terminal.ts'
import { count, duration } from './words.ts'

/** Long work that says how far it is. */
export interface Progress {
  update(done: number): void
  /** Removes the bar. Nothing stays of it. */
  stop(): void
}

/** What is being done: `Auditing`, `blocks`, and how many in all where that is known. */
export interface Work {
  readonly doing: string
  readonly unit: string
  readonly total?: number
}

/** Nothing is shown of work that is done within this time. */
export const QUIET_MS = 1000
/** Between two plain lines, where no bar can be drawn. */
const LINE_MS = 5000
const REDRAW_MS = 200
const BAR = 24
/** Back to the beginning of the line, which is emptied. */
export const CLEAR_LINE = '\r\u001b[2K'

/** A bar with count and time left, or plain lines where there is no terminal to draw on. */
export function startProgress(terminal: Terminal, work: Work): Progress {
  const started = terminal.now()
  const draws = isCapable(terminal.err, terminal.env)
  let [done, said] = [0, started + QUIET_MS - LINE_MS]
  const show = () => {
    const now = terminal.now()
    if (now - started < QUIET_MS) return
    if (draws) terminal.err.write(`${CLEAR_LINE}${barLine(work, done, now - started)}`)
    else if (now - said >= LINE_MS) {
      said = now
      terminal.err.write(`${plainLine(work, done, now - started)}\n`)
    }
  }
  const cancel = terminal.every(REDRAW_MS, show)
  return {
    update: (value) => {
      done = value
      show()
    },
    stop: () => {
      cancel()
      if (draws && terminal.now() - started >= QUIET_MS) terminal.err.write(CLEAR_LINE)
    },
  }
}

function barLine(work: Work, done: number, ms: number): string {
  if (work.total === undefined || work.total === 0) return plainLine(work, done, ms)
  const filled = Math.min(BAR, Math.round((done / work.total) * BAR))
  const bar = `${'#'.repeat(filled)}${'-'.repeat(BAR - filled)}`
  return `${work.doing} [${bar}] ${counts(work, done)}, ${timeLeft(work.total, done, ms)}`
}

function plainLine(work: Work, done: number, ms: number): string {
  const time = work.total === undefined ? duration(ms) : timeLeft(work.total, done, ms)
  return done === 0 ? `${work.doing}, ${duration(ms)}` : `${work.doing} ${counts(work, done)}, ${time}`
}

function counts({ total, unit }: Work, done: number): string {
  return total === undefined ? `${count(done)} ${unit}` : `${count(done)} of ${count(total)} ${unit}`
}

function timeLeft(total: number, done: number, ms: number): string {
  return done === 0 ? duration(ms) : `about ${duration((ms / done) * Math.max(0, total - done))} left`
}
