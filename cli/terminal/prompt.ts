// SPDX-License-Identifier: Apache-2.0
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { usage } from '../program/refuse.ts'
import { isCapable, type Terminal } from './terminal.ts'

/** One question. `flag` answers it without asking. */
export interface Question {
  readonly message: string
  readonly flag: string
  /** True for what must not be seen on the screen. */
  readonly secret?: boolean
  /** The answer when a person just presses Enter. */
  readonly suggestion?: string
  /** What is wrong with an answer, or undefined. */
  readonly check?: (answer: string) => string | undefined
}

/** True where there is somebody to ask. */
export function canAsk(terminal: Terminal, mayAsk: boolean): boolean {
  return mayAsk && terminal.input.isTTY === true && isCapable(terminal.err, terminal.env)
}

/**
 * Asks on standard error, so that standard output stays clean, until the answer will do. One line each, written
 * once and in ASCII: a screen reader reads it as it comes.
 * @returns the answer, or null when the person pressed Ctrl+C or Ctrl+D
 * @throws CommanderError (usage) naming the flag when there is nobody to ask
 */
export async function askPerson(
  terminal: Terminal,
  mayAsk: boolean,
  question: Question,
): Promise<string | null> {
  if (!canAsk(terminal, mayAsk)) {
    const why = mayAsk ? 'there is no terminal to ask on' : '--no-input forbids to ask'
    throw usage(`${question.flag} is missing, and ${why}`)
  }
  const { message, suggestion, secret, check } = question
  const prompt = `${message}${suggestion === undefined ? '' : ` [${suggestion}]`}: `
  for (;;) {
    const line = await askOnce(terminal, prompt, secret === true)
    if (line === null) return null
    const answer = line === '' ? (suggestion ?? '') : line
    const problem = check?.(answer)
    if (problem === undefined) return answer
    terminal.err.write(`  ${problem}\n`)
  }
}

function askOnce(terminal: Terminal, prompt: string, secret: boolean): Promise<string | null> {
  const { input, err } = terminal
  // Of a secret only the prompt is shown: what is typed is written to nowhere.
  const output = secret ? new Writable({ write: (_, __, done) => done() }) : err
  return new Promise((resolve) => {
    // From here on the terminal itself does not show what is typed: only then is it asked for.
    const lines = createInterface({ input, output, terminal: true, historySize: 0 })
    if (secret) err.write(prompt)
    const end = (answer: string | null) => {
      resolve(answer)
      lines.close()
      if (secret || answer === null) err.write('\n')
    }
    lines.once('SIGINT', () => end(null))
    lines.once('close', () => resolve(null))
    lines.question(prompt, (line) => end(secret ? line : line.trim()))
  })
}
