// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module'
import type * as CliProgress from 'cli-progress'
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
/** Longest delay of a timer, in ms: the library's own never comes, for the bar is drawn when the terminal's clock says. */
const NEVER_MS = 2 ** 31 - 1
/** Back to the beginning of the line, which is emptied. */
export const CLEAR_LINE = '\r\u001b[2K'

const load = createRequire(import.meta.url)

/** A bar with count and time left, or plain lines where there is no terminal to draw on. */
export function startProgress(terminal: Terminal, work: Work): Progress {
  const started = terminal.now()
  const draws = isCapable(terminal.err, terminal.env)
  const everyMs = draws ? REDRAW_MS : LINE_MS
  let [done, said] = [0, started + QUIET_MS - everyMs]
  let bar: CliProgress.SingleBar | null = null
  const show = () => {
    const now = terminal.now()
    if (now - said < everyMs) return
    said = now
    if (!draws) terminal.err.write(`${plainLine(work, done, now - started)}\n`)
    else if (bar) {
      bar.update(done)
      bar.render()
    } else {
      bar = makeBar(terminal, work, started)
      bar.start(work.total ?? 0, done)
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
      bar?.stop()
    },
  }
}

/** The library is loaded for the first bar: most commands draw none, and all of them start. */
function makeBar(terminal: Terminal, work: Work, started: number): CliProgress.SingleBar {
  const { Format, SingleBar } = load('cli-progress') as typeof CliProgress
  const format = (options: CliProgress.Options, { progress, value }: CliProgress.Params) => {
    const ms = terminal.now() - started
    if (work.total === undefined || work.total === 0) return plainLine(work, value, ms)
    const bar = Format.BarFormat(progress, options)
    return `${work.doing} [${bar}] ${counts(work, value)}, ${timeLeft(work.total, value, ms)}`
  }
  return new SingleBar({
    stream: terminal.err,
    format,
    barsize: BAR,
    barCompleteChar: '#',
    barIncompleteChar: '-',
    fps: 1000 / NEVER_MS,
    synchronousUpdate: false,
    clearOnComplete: true,
    // A process that is killed would leave the terminal without wrapping.
    linewrap: true,
  })
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
