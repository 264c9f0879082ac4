// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setUp } from '#cli/deployment/set-up.ts'
import { connectInstitution } from '#cli/open/bridge.ts'
import { openHome } from '#cli/open/home.ts'
import { openInstitution } from '#cli/open/institution.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { select } from '#core/ports/needs.ts'
import { auditChains, AUDITOR_NEEDS, listChains } from '#core/server/audit.ts'
import { silentLog } from '#functions/host/telemetry.ts'

/** Kills in every run of the tests; SLOW=1 makes it fifty. */
const KILLS = process.env['SLOW'] === '1' ? 50 : 8
const PASSPHRASE = 'of a test that protects nothing'
const CHILD = fileURLToPath(new URL('crash-child.ts', import.meta.url))

describe('a whole deployment that is killed at any instant', () => {
  it(`holds after ${KILLS} kills everything that it acknowledged, once, and verifies`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ampere-kill-'))
    const what = {
      origin: 'http://127.0.0.1:19999',
      institutions: [{ id: 'hospital-a', name: 'Hospital A' }],
      demo: true,
      passphrase: { kind: 'generated' as const },
    }
    const settings = await setUp(folder, what, async () => PASSPHRASE)
    const acknowledged: string[] = []
    for (let kill = 0; kill < KILLS; kill++)
      acknowledged.push(...(await appendUntilKilled(folder, `run${kill}`, kill)))
    expect(acknowledged.length).toBeGreaterThan(KILLS)
    const home = await openHome(folder, settings, PASSPHRASE, silentLog)
    const ports = await select(home.platform, AUDITOR_NEEDS)
    const report = await auditChains(ports, home.home, listChains(ports))
    expect(report.findings).toEqual([])
    const institution = await openInstitution(folder, 'hospital-a', PASSPHRASE)
    const connection = connectInstitution(institution, settings, home.fetch)
    const view = await connection.read(readFileSync(join(folder, 'chain.txt'), 'utf8') as ChainId)
    const texts = view.opened.map((entry) => new TextDecoder().decode(entry.content))
    expect(view.closed).toEqual([])
    expect(new Set(texts).size).toBe(texts.length)
    expect(acknowledged.filter((text) => !texts.includes(text))).toEqual([])
    await home.platform.close()
  }, 180_000)
})

/** Lets a process append, and kills it without warning some time after it is ready: another time in each run. */
async function appendUntilKilled(folder: string, run: string, kill: number): Promise<string[]> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', CHILD, folder, run, PASSPHRASE],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let text = ''
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      const wasReady = text.includes('ready')
      text += chunk.toString()
      if (!wasReady && text.includes('ready'))
        setTimeout(() => child.kill('SIGKILL'), 150 + ((kill * 97) % 400))
    })
    child.on('close', () => resolve())
  })
  return text
    .split('\n')
    .slice(0, -1)
    .filter((line) => line !== 'ready')
}
