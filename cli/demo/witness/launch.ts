// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { logOriginOf, WITNESS_PREFIX } from '#core/api/log.ts'
import { AmpereError } from '#core/errors.ts'
import { isSameKey, parseVerifierKey, type LogKey } from '#core/log/note/key.ts'
import type { Platform } from '#core/ports/needs.ts'
import { logKeysOf, readPolicy, readPolicyText, writePolicy } from '../../open/policy.ts'
import { withWitness } from '../../witness/policy/policy-text.ts'
import { demoWitnessName, said, type WitnessArguments } from './messages.ts'

/** A demo's second process. */
export interface DemoWitness {
  /** Name of its keys. */
  readonly name: string
  /**
   * To be awaited before the home reads its policy: tells the witness the home's log, and on the first start puts
   * the witness in the policy. When the witness cannot be started, nothing is changed and nothing thrown.
   */
  introduce(platform: Platform): Promise<void>
  /** Where it serves, or why it does not. Never rejects. */
  state(): Promise<WitnessState>
  /** Resolves when it served, and its process ends before it was let go. */
  readonly ended: Promise<void>
  /** Lets it end, and waits until it has. May be called twice. */
  close(): Promise<void>
}

/** What came of starting it: its port, or in a sentence why it does not serve. */
export type WitnessState = { readonly port: number } | { readonly failed: string }

/** The folder of the witness of a demo. */
export function witnessFolder(folder: string): string {
  return join(folder, 'witness')
}

/** A process that has not begun to serve by then is given up, in milliseconds. */
const START_MS = 15_000
/** A process that was let go and still runs after this is killed, in milliseconds. */
const END_MS = 3000
const PROGRAM = fileURLToPath(new URL('process.ts', import.meta.url))
const COMPILED = fileURLToPath(new URL('../../../node_modules/.cache/ampere', import.meta.url))

interface Serving {
  readonly port: number
  readonly keys: readonly LogKey[]
}

/**
 * Starts the witness of a demo as a process of its own, which ends with this one however that ends.
 * @param command what runs the witness's program, and its arguments before that; tests give another one
 */
export function launchWitness(
  folder: string,
  origin: string,
  command: readonly [string, ...string[]] = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    PROGRAM,
  ],
): DemoWitness {
  const name = demoWitnessName(origin)
  const known = knownWitness(folder, origin, name)
  const port = known?.port ?? Number(new URL(origin).port) + 1
  const mode = known ? 'exactly' : 'next'
  const child = start(command, { folder: witnessFolder(folder), port, mode, name })
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
  })
  const serving = servingOf(child, ended).then((witness) => checkKeys(witness, known))
  // Looked at later, or never: no unhandled rejection meanwhile.
  serving.catch(() => undefined)
  return {
    name,
    introduce: async (platform) => {
      const log = await logKeysOf(platform, origin)
      const told = { origin: logOriginOf(origin), keys: log }
      child.stdin.write(`${JSON.stringify(told)}\n`)
      if (!known) await addToPolicy(folder, origin, log.map(parseVerifierKey), serving)
    },
    state: () =>
      serving.then(
        (witness) => ({ port: witness.port }),
        (error: unknown) => ({
          failed: error instanceof AmpereError ? error.message : 'an unexpected error',
        }),
      ),
    ended: new Promise((resolve) => {
      const lost = () => (child.stdin.writableEnded ? undefined : resolve())
      serving.then(() => ended.then(lost)).catch(() => undefined)
    }),
    close: () => close(child, ended),
  }
}

function start(
  [program, ...before]: readonly [string, ...string[]],
  { folder, port, mode, name }: WitnessArguments,
): ChildProcessWithoutNullStreams {
  const child = spawn(program, [...before, folder, String(port), mode, name], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? COMPILED },
    windowsHide: true,
  }) as unknown as ChildProcessWithoutNullStreams
  // A process that ended already is known by its end.
  child.stdin.on('error', () => {})
  return child
}

/** @throws AmpereError UPSTREAM_FAILED when it does not serve, with what it said */
async function servingOf(child: ChildProcessWithoutNullStreams, ended: Promise<void>): Promise<Serving> {
  const lines = createInterface({ input: child.stdout })
  let timer: NodeJS.Timeout | undefined
  try {
    const line = await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve)
      child.once('error', (cause) => reject(failed('its process cannot be started', cause)))
      void ended.then(() => reject(failed('its process ended before it served')))
      timer = setTimeout(() => reject(failed('it did not begin to serve in time')), START_MS)
    })
    const message = v.parse(said, JSON.parse(line))
    if ('failed' in message) throw failed(message.failed)
    return { port: message.port, keys: message.keys.map(parseVerifierKey) }
  } catch (cause) {
    throw cause instanceof AmpereError ? cause : failed('it said something else than where it serves', cause)
  } finally {
    clearTimeout(timer)
    lines.close()
    // Nothing more is expected; a full pipe would stop it.
    child.stdout.resume()
  }
}

/** The witness as the policy has it from an earlier start. */
function knownWitness(folder: string, origin: string, name: string): Serving | null {
  const found = readPolicy(folder, origin)?.witnesses.filter(({ key }) => key.name === name) ?? []
  const url = found[0]?.url ?? null
  return url === null ? null : { port: Number(new URL(url).port), keys: found.map(({ key }) => key) }
}

/** @throws AmpereError UPSTREAM_FAILED */
function checkKeys(witness: Serving, known: Serving | null): Serving {
  const isSame = known?.keys.every((key) => witness.keys.some((other) => isSameKey(key, other))) ?? true
  if (isSame) return witness
  throw failed(
    'its keys are not those of policy.txt: put back the folder witness/ from its backup (npx ampere demo reset begins anew)',
  )
}

async function addToPolicy(
  folder: string,
  origin: string,
  log: readonly LogKey[],
  serving: Promise<Serving>,
): Promise<void> {
  let witness: Serving
  try {
    witness = await serving
  } catch {
    // `state` says why; without a policy the demo goes on as any home without witnesses.
    return
  }
  const url = `http://127.0.0.1:${witness.port}${WITNESS_PREFIX}`
  writePolicy(folder, origin, withWitness(readPolicyText(folder), log, { url, keys: witness.keys }).text)
}

async function close(child: ChildProcessWithoutNullStreams, ended: Promise<void>): Promise<void> {
  child.stdin.end()
  const timer = setTimeout(() => child.kill('SIGKILL'), END_MS)
  // One that could not be started never says that it ended.
  if (child.pid !== undefined) await ended
  clearTimeout(timer)
}

function failed(what: string, cause?: unknown): AmpereError {
  return new AmpereError('UPSTREAM_FAILED', what, { cause })
}
