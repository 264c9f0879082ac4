// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const BUILT = fileURLToPath(new URL('../../../node_modules/.cache/interop-go/', import.meta.url))
const PROGRAM = join(BUILT, 'program')
const LITEWITNESS = join(BUILT, 'litewitness')
/** Neither a C compiler nor a repository is needed, and the tree stays as it is. */
const GO = { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false -mod=readonly' }

/** What the program answers of one thing: `error` where the software in it refuses. */
export interface Verdict {
  readonly error?: string
  readonly origin?: string
  readonly size?: number
  readonly signatures?: readonly {
    readonly name: string
    readonly id: string
    readonly time: number | null
  }[]
}

/** What Tessera's fsck says of a log: its size, or what is wrong. */
export const fsck = async (log: string, key: string) => runOnce<Verdict>(['fsck', log, key])

/** What torchwood's client reads from a log. */
export const readEntries = async (log: string, key: string) =>
  runOnce<{ error?: string; entries?: number; sha256?: string; proof?: number }>(['read-entries', log, key])

/** What is to be verified: a checkpoint by keys or under a policy, or a proof under one. */
export interface Asked {
  readonly note?: string
  readonly keys?: readonly string[]
  readonly policy?: string
  readonly proof?: string
  /** Base64. */
  readonly entry?: string
  /** Whether Tessera is asked about the policy instead of torchwood. */
  readonly byTessera?: boolean
}

/** What torchwood says of each. */
export async function verifyInGo(asked: readonly Asked[]): Promise<readonly Verdict[]> {
  const running = start(['verify'])
  running.stdin.end(asked.map((each) => JSON.stringify(each)).join('\n'))
  const answers = await answersOf(running)
  if (answers.length !== asked.length) throw new Error(`Go gave ${answers.length} of ${asked.length} answers`)
  return answers as readonly Verdict[]
}

/** A program that runs until it is stopped. */
export interface Running<T> {
  /** What it said first. */
  readonly first: T
  /** Gives it a line that it does not answer. */
  tell(line: string): void
  /** Gives it a line, and gives the line that it answers. */
  ask(line: string): Promise<unknown>
  stop(): Promise<void>
}

/** A witness that others wrote, for one log. */
export interface Witness {
  readonly url: string
  readonly keys: readonly string[]
}

/** Runs a witness for the log whose Ed25519 verifier key is given. */
export async function startWitness(
  kind: 'litewitness' | 'omniwitness',
  name: string,
  log: string,
): Promise<Running<Witness>> {
  if (kind === 'omniwitness') return startAsking<Witness>([kind, name, log])
  // A socket's path is 107 bytes at most.
  const folder = mkdtempSync(join(tmpdir(), 'lw-'))
  const witness = await startAsking<Witness>([kind, LITEWITNESS, folder, name, log])
  const stop = async () => {
    await witness.stop()
    rmSync(folder, { recursive: true })
  }
  return { ...witness, stop }
}

/** What Tessera POSIX took for leaves, until the checkpoint that covers them was published. */
export interface Written {
  readonly leaves: number
  readonly size: number
  readonly seconds: number
  readonly leavesPerSecond: number
  readonly checkpoint: string
}

/**
 * A log that Tessera POSIX writes into a folder; `ask` it for a number of leaves more, and it answers `Written`. With
 * the flag `-witnessed` it must be told the name of a policy file first.
 */
export async function startTesseraLog(
  folder: string,
  flags: readonly string[] = [],
): Promise<Running<{ readonly key: string }>> {
  return startAsking<{ key: string }>(['write-log', ...flags, folder])
}

async function startAsking<T>(args: readonly string[]): Promise<Running<T>> {
  const running = start(args)
  const ended = new Promise((resolve) => running.once('close', resolve))
  const lines = createInterface({ input: running.stdout })[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`Go: ${args[0]} ended`)
    const answer = JSON.parse(value) as { error?: string }
    if (answer.error !== undefined) throw new Error(`Go: ${args[0]}: ${answer.error}`)
    return answer
  }
  return {
    first: (await next()) as T,
    tell: (line) => void running.stdin.write(`${line}\n`),
    ask: async (line) => {
      running.stdin.write(`${line}\n`)
      return next()
    },
    stop: async () => {
      running.stdin.end()
      await ended
    },
  }
}

/** Not spawnSync: the log that is looked at is served by this very process. */
async function runOnce<T>(args: readonly string[]): Promise<T> {
  const running = start(args)
  running.stdin.end()
  const [answer, ...rest] = await answersOf(running)
  if (answer === undefined || rest.length > 0) throw new Error(`Go: ${args[0]} gave no single answer`)
  return answer as T
}

function start(args: readonly string[]): ChildProcessWithoutNullStreams {
  const running = spawn(PROGRAM, args)
  running.stderr.pipe(process.stderr)
  return running
}

async function answersOf(running: ChildProcessWithoutNullStreams): Promise<unknown[]> {
  const chunks: Buffer[] = []
  for await (const chunk of running.stdout) chunks.push(chunk as Buffer)
  const lines = Buffer.concat(chunks).toString().split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as unknown)
}

/** Why nothing here can run, or null: without Go, or without the modules of go.sum. */
export function whatIsMissing(): string | null {
  if (go(['version']).status !== 0) return 'Go is not installed'
  const modules = go(['mod', 'download'])
  return modules.status === 0
    ? null
    : `the Go modules cannot be fetched: ${modules.stderr.trim().split('\n').at(-1)}`
}

/** Builds what is not built yet: minutes the first time, and nothing after it. @throws when it does not compile */
export function buildPrograms(): void {
  const run = go(['build', '-o', BUILT, './program', 'filippo.io/torchwood/cmd/litewitness'])
  if (run.status !== 0) throw new Error(run.stderr)
}

function go(args: readonly string[]) {
  return spawnSync('go', args, { cwd: HERE, encoding: 'utf8', env: { ...process.env, ...GO } })
}
