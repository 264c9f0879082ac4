// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setUp } from '#cli/deployment/set-up.ts'
import type { Settings } from '#cli/deployment/settings.ts'
import { connectInstitution } from '#cli/open/bridge.ts'
import { openHome } from '#cli/open/home.ts'
import { openInstitution } from '#cli/open/institution.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { select } from '#core/ports/needs.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { seededRandom } from '#tests/deployment.ts'

/** Kills in every run of the tests; KILLS sets another number, SLOW=1 makes it fifty. */
const KILLS = Number(process.env['KILLS'] ?? (process.env['SLOW'] === '1' ? 50 : 3))
/** Where the instants come from; KILL_SEED draws those of an earlier run again. */
const SEED = Number(process.env['KILL_SEED'] ?? randomInt(1, 2 ** 31))
/** Appends that a process is let do, at most, before the one in which it is killed. */
const MOST_APPENDS = 12
/** Kills after which a new record is begun, so that reading it again at each start stays short. */
const KILLS_PER_RECORD = 10
/** About how long a process takes from its start to its readiness, in milliseconds. */
const OPENING_MS = 600
const PASSPHRASE = 'of a test that protects nothing'
const CHILD = fileURLToPath(new URL('crash-child.ts', import.meta.url))

describe('a whole deployment that is killed at any instant', () => {
  it(
    `holds after ${KILLS} kills everything that it acknowledged, once, and verifies (KILL_SEED=${SEED})`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'ampere-kill-'))
      const what = {
        origin: 'http://127.0.0.1:19999',
        institutions: [{ id: 'hospital-a', name: 'Hospital A' }],
        demo: true,
        passphrase: { kind: 'generated' as const },
      }
      const settings = await setUp(folder, what, async () => PASSPHRASE)
      const { acknowledged, records } = await appendThroughKills(folder)
      // A few kills may all come before anything is acknowledged; of many, that would mean that nothing is tried.
      if (KILLS >= 20) expect(acknowledged.length).toBeGreaterThan(KILLS / 2)
      const texts = await readAll(folder, settings, records)
      expect(new Set(texts).size).toBe(texts.length)
      expect(acknowledged.filter((text) => !texts.includes(text))).toEqual([])
      rmSync(folder, { recursive: true })
    },
    Math.max(600_000, KILLS * 5000),
  )
})

/** One process after the other, each killed; the next is loaded while the one before runs. */
async function appendThroughKills(folder: string) {
  const random = seededRandom(SEED)
  const acknowledged: string[] = []
  const records: ChainId[] = []
  const chain = join(folder, 'chain.txt')
  let next = load(folder, 'run0')
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const child = next
      const isLast = kill === KILLS - 1
      const [when = 0, many = 0, low = 0, high = 0] = random(4)
      const running = runUntilKilled(child, {
        // One in four dies while it opens the home, recovers what the one before left, or begins a record.
        steps: when % 4 === 0 ? 0 : 1 + (many % MOST_APPENDS),
        share: (low * 256 + high) / 65_536,
      })
      if (!isLast) next = load(folder, `run${kill + 1}`)
      acknowledged.push(...(await running))
      if ((isLast || kill % KILLS_PER_RECORD === KILLS_PER_RECORD - 1) && existsSync(chain)) {
        records.push(readFileSync(chain, 'utf8') as ChainId)
        rmSync(chain)
      }
    }
  } finally {
    // Loaded and waiting, if something went wrong.
    next.kill('SIGKILL')
  }
  return { acknowledged, records }
}

/** Every text in the records, after an audit of everything that the home holds. */
async function readAll(folder: string, settings: Settings, records: readonly ChainId[]): Promise<string[]> {
  const home = await openHome(folder, settings, PASSPHRASE, silentLog)
  const ports = await select(home.platform, AUDITOR_NEEDS)
  expect((await auditChains(ports, home.home, listChains(ports))).findings).toEqual([])
  const institution = await openInstitution(folder, 'hospital-a', PASSPHRASE)
  const connection = connectInstitution(institution, settings, home.fetch)
  const texts: string[] = []
  for (const record of records) {
    const view = await connection.read(record)
    expect(view.closed).toEqual([])
    texts.push(...view.opened.map((entry) => new TextDecoder().decode(entry.content)))
  }
  await home.platform.close()
  return texts
}

function load(folder: string, run: string): ChildProcess {
  const args = ['--disable-warning=ExperimentalWarning', CHILD, folder, run, PASSPHRASE]
  return spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
}

/**
 * Lets a loaded process begin and kills it without warning: after it did `steps` steps (opening, then appends),
 * at that `share` of the time that a step takes. So the instant is as random on a busy machine as on an idle one.
 * @returns what it acknowledged
 */
function runUntilKilled(
  child: ChildProcess,
  kill: { readonly steps: number; readonly share: number },
): Promise<string[]> {
  let text = ''
  let seen = 0
  let lastAt = performance.now()
  const lines = () => text.split('\n').slice(0, -1)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const now = lines().length
      if (now === seen) return
      // It opens the home when it is told to, which is when it says that it is loaded.
      if (seen === 0) child.stdin?.write('go\n')
      const stepMs = seen === 0 ? OPENING_MS : (performance.now() - lastAt) / (now - seen)
      if (seen <= kill.steps && now > kill.steps) setTimeout(() => child.kill('SIGKILL'), kill.share * stepMs)
      lastAt = performance.now()
      seen = now
    })
    child.once('close', (code) => {
      if (code === null) resolve(lines().filter((line) => line.startsWith('run')))
      else reject(new Error(`a process ended by itself with code ${code}`))
    })
  })
}
