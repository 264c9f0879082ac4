// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshFolder, serveProcess, testPort, type Serving } from '../harness.ts'
import { told } from '../told.ts'
import { init, witnessed } from './operators.ts'

const [home, first, second] = [freshFolder(), freshFolder(), freshFolder()]
const [HOME, FIRST, SECOND] = [47, 48, 49].map((n) => `http://127.0.0.1:${testPort(n)}`) as [
  string,
  string,
  string,
]
const running = new Map<string, Serving>()
let record = ''

async function start(folder: string): Promise<void> {
  await stop(folder, 'kill')
  running.set(folder, await serveProcess(['start', '--data', folder]))
}
async function stop(folder: string, how: 'stop' | 'kill' = 'stop'): Promise<void> {
  await running.get(folder)?.[how]()
  running.delete(folder)
}

/** One resource of one patient. */
async function file(id: string): Promise<void> {
  const path = join(home, '..', `${id}-two.ndjson`)
  const encounter = { resourceType: 'Encounter', id, status: 'finished', class: { code: 'AMB' } }
  const resources = [
    { resourceType: 'Patient', id: 'p1', birthDate: '1980-01-01' },
    { ...encounter, subject: { reference: 'Patient/p1' } },
  ]
  writeFileSync(path, resources.map((one) => `${JSON.stringify(one)}\n`).join(''))
  expect(await told(home, 'import', path)).toMatchObject({ exit: 0 })
}

/** How many blocks of the record have each word, for somebody with the home's policy. */
async function words(): Promise<Record<string, number>> {
  const { items } = await told(home, 'chain', 'show', record)
  const counts: Record<string, number> = {}
  for (const { status } of items as { status: string }[]) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** Until nothing is said of any block but that it is witnessed. */
async function allWitnessed(): Promise<void> {
  while (Object.keys(await words()).join('') !== 'witnessed');
}

/** What an export says under the policy that the home has now. */
const verified = (name: string) => told(home, 'verify', join(home, '..', name))
const exported = (name: string) => told(home, 'chain', 'export', record, join(home, '..', name))

beforeAll(async () => {
  await init(home, 'st-anne=St Anne', 47)
  await init(first, 'st-mary=St Mary', 48)
  await init(second, 'st-luke=St Luke', 49)
  await start(home)
  await start(first)
  await start(second)
}, 120_000)
afterAll(async () => {
  for (const folder of running.keys()) await stop(folder, 'kill')
})

it('is witnessed by one, then by two of two, then by the other alone, with all that was there before', async () => {
  expect(await told(home, 'witness', 'add', FIRST, '--yes')).toMatchObject({ quorum: { need: 1, of: 1 } })
  expect(await told(first, 'witness', 'accept', HOME, '--yes')).toMatchObject({ exit: 0 })
  await start(home)
  await file('e1')
  const { items } = await told(home, 'chain', 'list')
  record = (items as { chain: string }[])[0]?.chain.slice(0, 8) ?? ''
  await allWitnessed()
  const before = await words()
  expect(await exported('one.ampere')).toMatchObject({ exit: 0 })

  expect(await told(home, 'witness', 'add', SECOND, '--yes')).toMatchObject({ quorum: { need: 2, of: 2 } })
  expect(await told(second, 'witness', 'accept', HOME, '--yes')).toMatchObject({ exit: 0 })
  await start(home)
  await witnessed(home)
  // What one witness saw the other has seen as well, and old files say what they said: the log, and not enough witnesses.
  expect(await words()).toEqual(before)
  expect(await told(home, 'verify', '--all')).toMatchObject({ exit: 0, ok: true })
  expect(await verified('one.ampere')).toMatchObject({
    exit: 0,
    log: { logged: before['witnessed'], witnessed: 0 },
  })
  await file('e2')
  await allWitnessed()
  expect(await exported('two.ampere')).toMatchObject({ exit: 0 })

  const removed = await told(home, 'witness', 'remove', FIRST, '--quorum', '1', '--yes')
  expect(removed).toMatchObject({ exit: 0, quorum: { need: 1, of: 1 } })
  await stop(first)
  await start(home)
  await file('e3')
  await allWitnessed()
  expect(await verified('two.ampere')).toMatchObject({ exit: 0, ok: true })
  expect(await told(home, 'audit', '--stores')).toMatchObject({ exit: 0, log: { findings: [] } })
}, 120_000)

it('is not witnessed while one of two is away, says which, and is again when it is back', async () => {
  await start(first)
  expect(await told(home, 'witness', 'add', FIRST, '--yes')).toMatchObject({ quorum: { need: 2, of: 2 } })
  await stop(first)
  await start(home)
  await file('e4')
  // Logged within a second, and no more than that: one of two is not enough.
  while ((await words())['promised'] !== undefined);
  expect((await words())['logged']).toBeGreaterThan(0)
  expect(await told(home, 'witness', 'status')).toMatchObject({ reached: false })
  await start(first)
  await start(home)
  await allWitnessed()
}, 120_000)
