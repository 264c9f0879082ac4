// SPDX-License-Identifier: Apache-2.0
import { CommanderError } from 'commander'
import picocolors from 'picocolors'
import { withPlace } from './hints.ts'
import { CLEAR_LINE, startProgress, type Progress, type Work } from './progress.ts'
import { askPerson, canAsk, type Question } from './prompt.ts'
import type { Stopping } from './stopping.ts'
import { isCapable, type Terminal } from './terminal.ts'
import { printable } from './words.ts'

/** Exit codes: 0 ok, 1 failed, 2 usage, 3 verification failed. */
export const EXIT = { ok: 0, failed: 1, usage: 2, verification: 3 } as const

/** Options that every command has. */
export interface Common {
  readonly data?: string
  readonly json?: boolean
  readonly debug?: boolean
  /** False with --no-color. */
  readonly color: boolean
  /** False with --no-input. */
  readonly input: boolean
  readonly passphraseFile?: string
}

/** How one command speaks: results on standard output, everything else on standard error. */
export interface Screen {
  readonly terminal: Terminal
  readonly stopping: Stopping
  /** The result: one JSON object with --json, else lines for people. */
  readonly print: (json: object, lines: readonly string[]) => void
  /** What is said meanwhile; with --json nothing is. */
  readonly say: (line: string) => void
  readonly progress: (work: Work) => Progress
  /** A word while something loads; it goes away with whatever is said next, and is for terminals only. */
  readonly busy: (word: string) => void
  /** Takes the word away. */
  readonly clear: () => void
  readonly canAsk: boolean
  /** @throws CommanderError when there is nobody to ask, or the person pressed Ctrl+C */
  readonly ask: (question: Question) => Promise<string>
  /** Words in the colour of what is wrong, on standard output. */
  readonly bad: (text: string) => string
  readonly strong: (text: string) => string
}

/** The screen of one command on a terminal. */
export function createScreen(terminal: Terminal, options: Common, stopping: Stopping): Screen {
  const { bold, red } = paint(terminal, terminal.out, options.color)
  const quiet = options.json === true
  let isBusy = false
  const clear = () => {
    if (isBusy) terminal.err.write(CLEAR_LINE)
    isBusy = false
  }
  return {
    terminal,
    stopping,
    print: (json, lines) => {
      clear()
      const told = lines.map((line) => `${printable(withPlace(line, options))}\n`).join('')
      terminal.out.write(quiet ? `${JSON.stringify(json)}\n` : told)
    },
    say: (line) => {
      clear()
      if (!quiet) terminal.err.write(`${printable(line)}\n`)
    },
    progress: (work) => {
      clear()
      return quiet ? SILENT : startProgress(terminal, work)
    },
    busy: (word) => {
      if (quiet || isBusy || !isCapable(terminal.err, terminal.env)) return
      isBusy = true
      terminal.err.write(`${word} ...`)
    },
    clear,
    canAsk: canAsk(terminal, options.input),
    ask: async (question) => {
      clear()
      const answer = await askPerson(terminal, options.input, question)
      if (answer === null) throw new CommanderError(EXIT.failed, 'ampere.stopped', stopping.words())
      return answer
    },
    bad: red,
    strong: bold,
  }
}

const SILENT: Progress = { update: () => {}, stop: () => {} }

/** Colours for one stream: only on a terminal, and never against the person's wish (no-color.org). */
export function paint(terminal: Terminal, stream: Terminal['out'], wanted: boolean) {
  const refused = (terminal.env['NO_COLOR'] ?? '') !== ''
  return picocolors.createColors(wanted && !refused && isCapable(stream, terminal.env))
}
