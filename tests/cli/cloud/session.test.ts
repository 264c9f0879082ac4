// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freshFolder, run, serveProcess, testPort, type Serving } from '../harness.ts'
import { settingsOf } from '../others/operators.ts'
import { told } from '../told.ts'
import { asDeployed, type InCloud } from './in-cloud.ts'

const bundle = (name: string) => fileURLToPath(new URL(`../../../demo/${name}.json`, import.meta.url))
const served = freshFolder()
let serving: Serving
let home: InCloud
let record = ''

beforeAll(async () => {
  const start = ['start', '--demo', '--data', served, '--port', testPort(38)]
  serving = await serveProcess(start)
  home = asDeployed(served, 'prod')
  cpSync(join(served, 'policy.txt'), join(home.folder, 'policy.txt'))
}, 60_000)
afterAll(async () => serving.stop())

describe('a home in a cloud', () => {
  it('takes what an institution files, with nothing of it on this computer but keys and what the institution knows', async () => {
    expect(await home.ampere('chain', 'list')).toMatchObject({ exit: 0, items: [] })
    const filed = await home.ampere('import', bundle('hospital-a'))
    expect(filed).toMatchObject({ exit: 0, filed: 196, quarantined: [] })
    expect(await home.ampere('import', bundle('hospital-a'))).toMatchObject({ filed: 0, unchanged: 196 })
    const { items } = (await home.ampere('chain', 'list')) as unknown as { items: { chain: string }[] }
    record = items.map(({ chain }) => chain).find((chain) => chain !== serving.ready['record']) ?? ''
    expect(existsSync(join(home.folder, 'institutions', 'hospital-a', 'bridge', 'ampere.db'))).toBe(true)
    expect(existsSync(join(home.folder, 'home'))).toBe(false)
    expect(existsSync(join(home.data, 'home'))).toBe(false)
  }, 60_000)

  it('has its records shared by a code that another institution of this computer uses', async () => {
    const issued = await home.ampere('pair', 'issue', record.slice(0, 8))
    expect(issued).toMatchObject({ exit: 0, chain: record, at: null })
    const joined = (code: unknown) =>
      home.ampere('pair', 'join', String(code), '--patient', 'b-1', '--as', 'hospital-b')
    expect(await joined('ZZZZ-ZZZZ-ZZZZ')).toMatchObject({ exit: 1, code: 'NOT_FOUND' })
    expect(await joined(issued['code'])).toMatchObject({ exit: 0, chain: record })
    const listed = await home.ampere('chain', 'list', '--as', 'hospital-b')
    expect(listed).toMatchObject({ items: [{ chain: record }] })
  }, 60_000)

  it('is granted and revoked, shown, verified, audited and looked through for findings', async () => {
    const name = record.slice(0, 8)
    expect(await home.ampere('grant', name, 'clinic-c')).toMatchObject({ exit: 0, rights: ['read'] })
    expect(await home.ampere('revoke', name, 'clinic-c')).toMatchObject({ exit: 0 })
    expect(await home.ampere('rotate', name)).toMatchObject({ exit: 0, dropped: [] })
    expect(await home.ampere('hold', name)).toMatchObject({ exit: 0, hold: true })
    expect(await home.ampere('hold', name, '--off')).toMatchObject({ exit: 0, hold: false })
    const shown = await home.ampere('chain', 'show', name)
    expect(shown).toMatchObject({ exit: 0, ok: true, problem: null })
    expect(await home.ampere('verify', '--all')).toMatchObject({ exit: 0, ok: true, problems: [] })
    expect(await home.ampere('audit', '--stores')).toMatchObject({ exit: 0, ok: true, problems: [] })
    expect(await home.ampere('findings')).toMatchObject({ exit: 0, ok: true })
  }, 120_000)

  it('has a record exported, which verifies by what is pinned of it and without it', async () => {
    const file = join(home.data, 'record.ampere')
    const written = await home.ampere('chain', 'export', record.slice(0, 8), file)
    expect(written).toMatchObject({ exit: 0, ok: true, problems: [] })
    expect(await home.ampere('verify', file)).toMatchObject({ exit: 0, pinned: true, problems: [] })
    const unpinned = await run(['verify', file, '--json', '--data', home.data])
    expect(JSON.parse(unpinned.out)).toMatchObject({ ok: true, pinned: false })
  }, 60_000)

  it('has an erasure requested, which waits for its delay, and cancelled', async () => {
    const name = record.slice(0, 8)
    const { items } = (await home.ampere('chain', 'show', name)) as unknown as {
      items: { height: number; entries: Record<string, number> }[]
    }
    const height = items.find(({ entries }) => Object.keys(entries).length > 0)?.height
    const block = (await home.ampere('chain', 'show', name, '--block', String(height))) as unknown as {
      entries: { id: string }[]
    }
    const id = block.entries[0]?.id ?? ''
    const erase = ['erase', name, '--entries', id, '--ground', 'misfiled', '--confirm', name]
    const requested = await home.ampere(...erase)
    expect(requested).toMatchObject({ exit: 0, entries: [id] })
    const at = String(requested['block'])
    const complete = await home.ampere('erase', name, '--complete', at, '--confirm', name)
    expect(complete).toMatchObject({ exit: 1, code: 'PRECONDITION_FAILED' })
    expect(await home.ampere('erase', name, '--cancel', at)).toMatchObject({ exit: 0, act: 'cancel' })
  }, 60_000)

  it('takes what an instance signs that was enrolled, and nothing of it once it was revoked', async () => {
    const enrolled = await home.ampere('instance', 'enrol', '--as', 'hospital-b')
    const id = String(enrolled['instance'])
    expect(await home.ampere('instance', 'list', '--as', 'hospital-b')).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ id, isHere: true })]),
    })
    const revoke = (name: string) =>
      home.ampere('instance', 'revoke', name, '--as', 'hospital-b', '--confirm', name)
    for (const name of ['hospital-b-1', 'hospital-b-2']) expect(await revoke(name)).toMatchObject({ exit: 0 })
    const filed = await home.ampere('import', bundle('hospital-b'), '--as', 'hospital-b')
    // One of the demo's resources is malformed on purpose.
    expect(filed).toMatchObject({ exit: 1, filed: 29, quarantined: [{ entry: 29 }] })
    const last = await revoke(id)
    expect(last['follows']).toEqual(
      expect.arrayContaining([expect.stringContaining('cannot read or write on this machine any more')]),
    )
    const refused = await home.ampere('import', bundle('hospital-b'), '--as', 'hospital-b')
    expect(refused).toMatchObject({ exit: 1, code: 'KEY_UNAVAILABLE' })
  }, 60_000)

  it('is seen witnessed by what it serves, and says of its monitor and mirror what is known from here', async () => {
    const status = await home.ampere('witness', 'status')
    expect(status).toMatchObject({ exit: 0, reached: true, trouble: null, witnesses: [{ alarm: null }] })
    const there = await told(served, 'witness', 'status')
    expect(status['log']).toBe(there['log'])
    const keys = await home.ampere('witness', 'status', '--keys')
    expect(keys).toEqual(await told(served, 'witness', 'status', '--keys'))
    expect(await home.ampere('monitor', 'status')).toMatchObject({ exit: 0, items: [] })
    const { home: own, institution } = await told(served, 'mirror', 'status')
    const mirror = () => home.ampere('mirror', 'status')
    expect(await mirror()).toMatchObject({ exit: 0, home: own, institution, homes: [] })
    const { deployment, origin, registry, log } = settingsOf(served)
    const other = { deployment, origin, registry, log, institution: 'hospital-a' }
    writeFileSync(join(home.folder, 'mirror.json'), JSON.stringify({ v: 1, homes: [other] }))
    expect(await mirror()).toMatchObject({ exit: 0, homes: [{ origin, last: null, verdict: 'unseen' }] })
  }, 60_000)

  it('is said to be in trouble where it answers no more', async () => {
    const gone = asDeployed(served, 'gone')
    const file = join(gone.folder, 'deployment.json')
    const { home: known, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as { home: object }
    writeFileSync(file, JSON.stringify({ ...rest, home: { ...known, origin: 'http://127.0.0.1:9' } }))
    expect(await gone.ampere('witness', 'status')).toMatchObject({ exit: 1, code: 'UPSTREAM_FAILED' })
    expect(await gone.ampere('chain', 'list')).toMatchObject({ exit: 1, code: 'UPSTREAM_FAILED' })
  }, 30_000)

  it.each([
    [['chain', 'list', '--cloud', 'prod'], 2, 'such as aws-prod'],
    [['chain', 'list', '--cloud', 'azure-prod'], 1, 'no home was deployed as azure-prod'],
    [['chain', 'list', '--as', 'st-anne', '--cloud', 'aws-prod'], 2, 'no institution st-anne'],
    [['audit', '--repair', '--cloud', 'aws-prod'], 1, 'is for the home of this computer'],
    [['doctor', '--cloud', 'aws-prod'], 2, 'doctor is for the home of this computer'],
  ])('is not what %j is about', async (args, code, says) => {
    const refused = await run([...args, '--data', home.data])
    expect({ code: refused.code, err: refused.err }).toEqual({ code, err: expect.stringContaining(says) })
  })

  it('is named in what is suggested', async () => {
    const { err } = await run(['chain', 'show', 'nobody', '--cloud', 'aws-prod', '--data', home.data])
    expect(err).toContain(`npx ampere chain list --cloud aws-prod --data ${home.data}`)
  }, 30_000)
})
