// SPDX-License-Identifier: Apache-2.0
import { usage } from '../program/refuse.ts'
import { isCapable, type Terminal } from './terminal.ts'

/** One question. `flag` answers it without asking. */
export interface Question {
  readonly message: string
  readonly flag: string
  /** True for what must not be seen on the screen. */
  readonly secret?: boolean
  readonly suggestion?: string
  /** What is wrong with an answer, or undefined. */
  readonly check?: (answer: string) => string | undefined
}

/** True where there is somebody to ask. */
export function canAsk(terminal: Terminal, mayAsk: boolean): boolean {
  return mayAsk && terminal.input.isTTY === true && isCapable(terminal.err, terminal.env)
}

/**
 * Asks on standard error, so that standard output stays clean.
 * @returns the answer, or null when the person pressed Ctrl+C
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
  // Loaded only where somebody is asked: most commands never do.
  const { isCancel, password, text } = await import('@clack/prompts')
  const { message, suggestion, check } = question
  const common = {
    message,
    // Lines that are written once, without cursor movements: a screen reader reads them as they come.
    accessible: true,
    withGuide: false,
    input: terminal.input,
    output: terminal.err,
    validate: (answer: string | undefined) => check?.(answer ?? suggestion ?? ''),
  }
  const answer =
    question.secret === true
      ? await password({ ...common, mask: '*' })
      : await text({
          ...common,
          ...(suggestion === undefined ? {} : { defaultValue: suggestion, placeholder: suggestion }),
        })
  return isCancel(answer) ? null : answer
}
