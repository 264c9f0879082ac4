// SPDX-License-Identifier: Apache-2.0
// The demo's witness, in a process of its own: a table and two keys in a folder of its own, no chain, no home. It ends
// when its standard input does, and that the operating system ends with the demo's process, however that ends.
import { createInterface } from 'node:readline'
import * as v from 'valibot'
import { openLocal } from '#adapters/local/open.ts'
import { passphraseFrom } from '#adapters/local/keys/passphrase.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { isAmpereError } from '#core/errors.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { witnessKeys } from '#core/server/witness/cosign.ts'
import { addLog } from '#core/server/witness/logs.ts'
import type { WitnessPorts } from '#core/server/witness/needs.ts'
import { createApp, type RoleApp } from '#functions/host/app.ts'
import { listen, type Listening } from '#functions/host/node.ts'
import { answerTheRest } from '#functions/host/operation.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { witnessApp } from '#functions/witness/app.ts'
import * as operations from '#functions/witness/operations.ts'
import { role } from '#functions/witness/role.ts'
import { toldLog, type said } from './messages.ts'

/** The witness of a demo that was killed a moment ago may still hold folder and port for so long, in milliseconds. */
const PREDECESSOR_MS = 2000
const RETRY_MS = 25

const [folder = '', port = '', mode = '', name = ''] = process.argv.slice(2)

// Ctrl+C reaches every process of a terminal. The demo has its last checkpoint cosigned before it lets this one go.
process.on('SIGINT', () => {})

try {
  await serve()
} catch (error) {
  say({ failed: reasonOf(error) })
  process.exitCode = 1
}

async function serve(): Promise<void> {
  const platform = await retried(openWitness)
  try {
    const ports = await select(platform, role.needs)
    const app = appOf(ports)
    const server = await retried(() => listen((request) => app.fetch(request), Number(port), mode === 'next'))
    say({ port: server.port, keys: witnessKeys(ports, name).map(formatVerifierKey) })
    await untilLetGo(ports, server)
  } finally {
    await platform.close()
  }
  // Connections that are kept alive would hold the process.
  process.exit(0)
}

async function openWitness(): Promise<Platform> {
  const text = await passphraseFrom({ folder, source: { from: 'file' }, create: true })
  return openLocal({ folder, passphrase: { text, masters: new Map(), isRandom: true } })
}

function appOf(ports: WitnessPorts): RoleApp {
  const hosting = { now: ports.now, random: ports.random, log: silentLog }
  const app = createApp('witness', hosting)
  app.route('/', witnessApp(ports, { name, verifiers: createVerifiers() }, hosting))
  answerTheRest(app, Object.values(operations), hosting)
  return app
}

/** Takes in the log that it is told, and returns when its standard input ends or the system asks it to stop. */
async function untilLetGo(ports: WitnessPorts, server: Listening): Promise<void> {
  const lines = createInterface({ input: process.stdin })
  process.once('SIGTERM', () => lines.close())
  for await (const line of lines) {
    const { origin, keys } = v.parse(toldLog, JSON.parse(line))
    await addLog(ports, origin, keys)
  }
  void server.close()
}

function reasonOf(error: unknown): string {
  if (isAmpereError(error, 'PORT_IN_USE')) return `port ${port} is in use, and policy.txt names it`
  return isAmpereError(error) ? error.message : 'an unexpected error'
}

async function retried<T>(act: () => Promise<T>): Promise<T> {
  const until = Date.now() + PREDECESSOR_MS
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (!isAmpereError(error, 'STORE_LOCKED', 'PORT_IN_USE') || Date.now() > until) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

function say(line: v.InferOutput<typeof said>): void {
  // Nobody reads it any more when the demo ended meanwhile; standard input says so too.
  process.stdout.on('error', () => {})
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
