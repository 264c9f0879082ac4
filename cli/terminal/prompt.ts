// SPDX-License-Identifier: Apache-2.0
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
 * Asks on standard error, so that standard output stays clean, until the answer will do.
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
  // Not by the library's `validate`: that keeps a wrong secret in its line, where nobody sees it, to be typed on.
  for (;;) {
    const answer = await askOnce(terminal, question)
    if (answer === null) return null
    const problem = question.check?.(answer)
    if (problem === undefined) return answer
    terminal.err.write(`  ${problem}\n`)
  }
}

/** Words as they are: no colours to be switched off, nothing beyond ASCII to be read out or garbled. */
const plain = (text: string) => text
const THEME = {
  prefix: '?',
  spinner: { interval: 1000, frames: ['?'] },
  style: {
    answer: plain,
    message: (text: string) => `${text}:`,
    error: plain,
    help: plain,
    highlight: plain,
    key: plain,
    defaultAnswer: (text: string) => `[${text}]`,
    maskedText: '(not shown)',
  },
}

/** Loaded when there is something to ask: most commands ask nothing, and all of them start. */
async function libraryPrompt(question: Question): Promise<(context: Context) => Promise<string>> {
  const { message, secret, suggestion } = question
  if (secret === true) {
    const { default: password } = await import('@inquirer/password')
    // Without `toggleMask: false` Ctrl+T would show the secret.
    return (context) => password({ message, theme: THEME, toggleMask: false }, context)
  }
  const { default: input } = await import('@inquirer/input')
  const given = suggestion === undefined ? {} : { default: suggestion }
  return async (context) => (await input({ message, theme: THEME, ...given }, context)).trim()
}

interface Context {
  readonly input: Terminal['input']
  readonly output: Terminal['err']
  readonly signal: AbortSignal
}

async function askOnce({ input, err }: Terminal, question: Question): Promise<string | null> {
  const ask = await libraryPrompt(question)
  const ended = new AbortController()
  const end = () => ended.abort()
  // Ctrl+D and a closed terminal close the library's line editor, and it would wait for ever: it pauses the input then.
  input.once('pause', end)
  try {
    return await ask({ input, output: err, signal: ended.signal })
  } catch (error) {
    if (error instanceof Error && STOPPED.includes(error.name)) return null
    throw error
  } finally {
    input.off('pause', end)
  }
}

/** Names of what the library throws: for Ctrl+C, and when its signal is aborted. */
const STOPPED = ['ExitPromptError', 'AbortPromptError']
