// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as passes } from 'node:timers/promises'
import {
  jsonOf,
  run,
  serveProcess,
  testPort,
  testTerminal,
  freshFolder,
  type Serving,
} from '#tests/cli/harness.ts'
import { told } from '#tests/cli/told.ts'
import { pinnedPolicy } from '#cli/open/policy.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { migrateScene, recordOf, withHome } from './scene.ts'

// Another home's witness, which accepts our log only while `migrate` waits for it.
let scene: Awaited<ReturnType<typeof migrateScene>>
let serving: Serving
const theirs = freshFolder()
const URL = `http://127.0.0.1:${testPort(91)}`

beforeAll(async () => {
  scene = await migrateScene()
  await told(theirs, 'init', '--institution', 'st-mary=st-mary', '--port', testPort(91))
  serving = await serveProcess(['start', '--data', theirs])
}, 60_000)
afterAll(async () => {
  await serving.kill()
  rmSync(scene.root, { recursive: true })
})

it('waits until the last block of each chain is witnessed, and then moves them with such receipts', async () => {
  const { root, old, fresh, ampere } = scene
  const keys = join(root, 'keys.txt')
  const args = (...words: string[]) => [
    ...words,
    '--data',
    old,
    '--passphrase-file',
    join(root, 'passphrase'),
    '--no-input',
  ]
  writeFileSync(keys, (await run(args('witness', 'status', '--keys'))).out)
  expect(await ampere(old, 'witness', 'add', URL, '--yes')).toMatchObject({ code: 0 })
  const { record } = await withHome(old, (open) => recordOf(open, ['one'], 1))
  let waited = 0
  const terminal = testTerminal({
    // In real time: a witness that refused is left in peace for a second, by the clock.
    waits: async (ms) => {
      if (waited++ === 0) await told(theirs, 'witness', 'accept', '--keys', keys)
      await passes(ms)
    },
  })
  const done = await run(args('migrate', '--to', fresh, '--json'), terminal)
  expect(done).toMatchObject({ code: 0, err: '' })
  expect(jsonOf(done)).toMatchObject({ ok: true, unlogged: 0 })
  expect(waited).toBeGreaterThan(0)
  await withHome(fresh, async ({ connection, settings }) => {
    expect(pinnedPolicy(fresh, settings)?.quorum).toBeTruthy()
    const view = await readReceipts(connection, await connection.replica(record))
    // Only the rehome is of the new log, which nobody witnesses yet.
    expect(view?.statuses.slice(0, -1)).toEqual(view?.statuses.slice(0, -1).map(() => 'witnessed'))
    expect(view?.problems).toEqual([])
  })
}, 60_000)
