// SPDX-License-Identifier: Apache-2.0
import type { Terminal } from './terminal.ts'

/** What happens when a person presses Ctrl+C: it is said what was kept, what is open is closed, the command ends. */
export interface Stopping {
  /** What is kept if the command stops now, in a sentence. */
  keeps(words: () => string): void
  /** What is to be closed before the process ends. @returns to be called once it is closed */
  closes(act: () => Promise<void>): () => void
  /** From now on stopping is this command's own affair; resolves when it is asked for. */
  untilStopped(): Promise<void>
  words(): string
}

/** Closing gets this long; a second Ctrl+C later than `REPEAT_MS` does not wait for it. */
const CLOSING_MS = 5000
/** A wrapper process passes on the signal that a terminal sent us already: one Ctrl+C, not two. */
const REPEAT_MS = 500

/** Listens for Ctrl+C on behalf of one command. `end` stops listening. */
export function listenForStop(terminal: Terminal): { readonly stopping: Stopping; readonly end: () => void } {
  let words = nothingYet
  let taken: (() => void) | null = null
  let since: number | null = null
  const open = new Set<() => Promise<void>>()
  const stop = () => {
    if (taken) return taken()
    if (since !== null) return terminal.now() - since > REPEAT_MS ? terminal.exit(1) : undefined
    since = terminal.now()
    terminal.err.write(`\nStopped. ${words()}\n`)
    const closed = Promise.allSettled([...open].map((act) => act()))
    void Promise.race([closed, terminal.wait(CLOSING_MS)]).then(() => terminal.exit(1))
    return undefined
  }
  const end = terminal.onStop(stop)
  return {
    end,
    stopping: {
      keeps: (next) => {
        words = next
      },
      closes: (act) => {
        open.add(act)
        return () => open.delete(act)
      },
      untilStopped: () =>
        new Promise((resolve) => {
          taken = resolve
        }),
      words: () => `Stopped. ${words()}`,
    },
  }
}

function nothingYet(): string {
  return 'Nothing was changed.'
}
