// SPDX-License-Identifier: Apache-2.0
import type { Readable, Writable } from 'node:stream'

/** What a command sees of the world around it. Tests give their own. */
export interface Terminal {
  readonly out: Writable & { readonly isTTY?: boolean }
  readonly err: Writable & { readonly isTTY?: boolean }
  readonly input: Readable & { readonly isTTY?: boolean }
  readonly env: Readonly<Record<string, string | undefined>>
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly wait: (ms: number) => Promise<void>
  /** Calls `act` every `ms` until the returned function is called. Keeps no process alive. */
  readonly every: (ms: number, act: () => void) => () => void
  /** Calls `act` when the person (Ctrl+C) or the system asks to stop, until the returned function is called. */
  readonly onStop: (act: () => void) => () => void
  /** Ends the process at once. */
  readonly exit: (code: number) => void
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  return {
    out: process.stdout,
    err: process.stderr,
    input: process.stdin,
    env: process.env,
    now: () => Date.now(),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    every: (ms, act) => {
      const timer = setInterval(act, ms).unref()
      return () => clearInterval(timer)
    },
    onStop: (act) => {
      process.on('SIGINT', act).on('SIGTERM', act)
      return () => process.off('SIGINT', act).off('SIGTERM', act)
    },
    exit: (code) => process.exit(code),
  }
}

/** True where a person reads: cursor movement and colour make sense only there. */
export function isCapable(stream: { readonly isTTY?: boolean }, env: Terminal['env']): boolean {
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}
