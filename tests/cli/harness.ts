// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { CATALOGUE } from '#cli/catalogue/all.ts'
import { runCommand } from '#cli/program/program.ts'
import type { Terminal } from '#cli/terminal/terminal.ts'

const AMPERE = fileURLToPath(new URL('../../cli/ampere.mjs', import.meta.url))

/** How a command ended and what it said. */
export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** The object that a command printed with --json. */
export function jsonOf({ out }: Ended): Record<string, unknown> {
  return JSON.parse(out) as Record<string, unknown>
}

/** A terminal that remembers what was said, answers what is asked, and can be told to stop. */
export interface TestTerminal extends Terminal {
  readonly said: { out: string; err: string; exits: number[]; waits: number[] }
  readonly stop: () => void
}

export interface TestTerminalOptions {
  readonly isTTY?: boolean
  readonly env?: Readonly<Record<string, string>>
  /** What a person types, one line for each question that is shown, or the whole input where there is no terminal. */
  readonly types?: readonly string[]
  /** Milliseconds that pass each time somebody looks at the clock. */
  readonly tickMs?: number
  /** Has the time pass for which somebody waits; without it none does. */
  readonly waits?: (ms: number) => Promise<void>
  /** Is told everything that is written to standard error. */
  readonly onErr?: (text: string, terminal: TestTerminal) => void
  /** Is told everything that is written to standard output. */
  readonly onOut?: (text: string) => void
}

/** No clock, no signal and no stream of this process is used. */
export function testTerminal(options: TestTerminalOptions = {}): TestTerminal {
  const said: TestTerminal['said'] = { out: '', err: '', exits: [], waits: [] }
  const stops = new Set<() => void>()
  const isTTY = options.isTTY ?? false
  const keyboard = isTTY ? typist(options.types ?? []) : null
  let nowMs = Date.now()
  const terminal: TestTerminal = {
    said,
    out: stream(isTTY, (text) => {
      said.out += text
      options.onOut?.(text)
    }),
    err: stream(isTTY, (text) => {
      said.err += text
      keyboard?.sees(text)
      options.onErr?.(text, terminal)
    }),
    input: keyboard?.input ?? Readable.from((options.types ?? []).map((line) => `${line}\n`)),
    env: options.env ?? {},
    now: () => (nowMs = options.tickMs === undefined ? Date.now() : nowMs + options.tickMs),
    wait: async (ms) => {
      said.waits.push(ms)
      await options.waits?.(ms)
    },
    every: () => () => {},
    onStop: (act) => {
      stops.add(act)
      return () => stops.delete(act)
    },
    exit: (code) => {
      said.exits.push(code)
    },
    stop: () => {
      for (const act of stops) act()
    },
  }
  return terminal
}

/** A person at a terminal: types a line once a question is shown, and closes the terminal after the last one. */
function typist(lines: readonly string[]) {
  const input = Object.assign(new PassThrough(), { isTTY: true })
  const left = [...lines]
  return {
    input,
    sees: (text: string) => {
      // A question that is drawn again begins with cursor movements.
      if (!text.startsWith('? ')) return
      setImmediate(() => {
        const line = left.shift()
        if (line === undefined) input.end()
        else input.write(CONTROL.test(line) ? line : `${line}\r`)
      })
    },
  }
}

/** Keys like Ctrl+C, which are pressed alone. */
const CONTROL = /\p{Cc}$/u

function stream(isTTY: boolean, write: (text: string) => void): Terminal['out'] {
  const writable = new Writable({
    decodeStrings: false,
    write: (text, _, done) => {
      write(String(text))
      done()
    },
  })
  // As Node's standard streams are marked: what is piped into them does not end them.
  return Object.assign(writable, { isTTY, _isStdio: true })
}

/** Runs a command line in this process. */
export async function run(args: readonly string[], terminal: TestTerminal = testTerminal()): Promise<Ended> {
  const code = await runCommand(args, CATALOGUE, '0.0.0', terminal)
  return { code, out: terminal.said.out, err: terminal.said.err }
}

/** Runs a command line as people do, in a process of its own. */
export function runProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [AMPERE, ...args], { env: { ...process.env, ...env } })
    const said = { out: '', err: '' }
    child.stdout.on('data', (text: Buffer) => (said.out += text.toString()))
    child.stderr.on('data', (text: Buffer) => (said.err += text.toString()))
    child.stdin.end(input)
    child.on('close', (code) => resolve({ code: code ?? -1, ...said }))
  })
}

/** A server in a process of its own. */
export interface Serving {
  /** What it printed when it was ready. */
  readonly ready: Record<string, unknown>
  /** Ends it as Ctrl+C does. */
  stop(): Promise<Ended>
  /** Ends it as `kill -9` does. */
  kill(): Promise<Ended>
}

/** Starts a server with --json, and waits until it serves. */
export function serveProcess(args: readonly string[]): Promise<Serving> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [AMPERE, ...args, '--json'])
    const said = { out: '', err: '' }
    const ended = new Promise<Ended>((close) => {
      child.on('close', (code) => close({ code: code ?? -1, ...said }))
    })
    const end = (signal: 'SIGINT' | 'SIGKILL') => () => {
      child.kill(signal)
      return ended
    }
    const [stop, kill] = [end('SIGINT'), end('SIGKILL')]
    child.stderr.on('data', (text: Buffer) => (said.err += text.toString()))
    child.stdout.on('data', (text: Buffer) => {
      said.out += text.toString()
      if (said.out.endsWith('\n')) resolve({ ready: jsonOf({ code: 0, ...said }), stop, kill })
    })
    void ended.then(({ code, err }) => reject(new Error(`the server ended with ${code}: ${err}`)))
  })
}

/** Serves in this process, whose clocks a test may move, for as long as `act` takes. */
export async function servingHere(
  args: readonly string[],
  act: (ready: Record<string, unknown>) => Promise<void>,
): Promise<void> {
  const ready = Promise.withResolvers<Record<string, unknown>>()
  const terminal = testTerminal({
    onOut: (text) => ready.resolve(JSON.parse(text) as Record<string, unknown>),
  })
  const ended = run([...args, '--json'], terminal)
  void ended.then(({ code, err, out }) =>
    ready.reject(new Error(`the server ended with ${code}: ${err}${out}`)),
  )
  try {
    await act(await ready.promise)
  } finally {
    terminal.stop()
    await ended
  }
}

/** A folder that does not exist yet, in one that is the test's own. */
export function freshFolder(): string {
  return join(mkdtempSync(join(tmpdir(), 'ampere-cli-')), 'data')
}

/** A copy of a prepared data folder, to be changed. */
export function copyOf(folder: string): string {
  const copy = freshFolder()
  cpSync(folder, copy, { recursive: true })
  return copy
}

/** A data folder of which the home is lost, and all that has a backup of its own is there. */
export function lost(folder: string): string {
  const without = copyOf(folder)
  rmSync(join(without, 'home'), { recursive: true })
  mkdirSync(join(without, 'home'))
  cpSync(join(folder, 'home', 'keys.json'), join(without, 'home', 'keys.json'))
  return without
}

/** A port that the other tests do not use. */
export function testPort(number: number): string {
  return String(17_400 + number)
}
