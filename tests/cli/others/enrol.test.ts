// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshFolder, jsonOf, run, serveProcess, testPort, testTerminal, type Serving } from '../harness.ts'

/** Where the institution is, with a server that runs. */
const home = freshFolder()
const origin = `http://127.0.0.1:${testPort(102)}`
let serving: Serving
let registry = ''
let record = ''

beforeAll(async () => {
  serving = await serveProcess(['start', '--demo', '--no-witness', '--data', home, '--port', testPort(102)])
  const settings = JSON.parse(readFileSync(join(home, 'settings.json'), 'utf8')) as {
    registry: string
    demo: { record: string }
  }
  registry = settings.registry
  record = settings.demo.record
}, 120_000)
afterAll(async () => {
  await serving.stop()
})

const at = (folder: string, ...args: string[]) => run([...args, '--data', folder, '--json'])
const admin = async (...args: string[]) => jsonOf(await at(home, 'instance', ...args, '--as', 'hospital-a'))

/** Enrols in a folder; once the code is shown, `told` does what an administrator does. */
async function enrol(folder: string, told: (code: string) => Promise<unknown>, ...more: string[]) {
  let code = ''
  let asked = 0
  const terminal = testTerminal({
    waits: async () => {
      code = /Code {2}(\S+)/.exec(terminal.said.err)?.[1] ?? ''
      if (asked++ === 0) await told(code)
    },
  })
  const args = ['instance', 'enrol', '--at', origin, '--registry', registry, '--as', 'hospital-a', ...more]
  const ended = await run([...args, '--data', folder, '--json'], terminal)
  return { code, exit: ended.code, said: jsonOf(ended) }
}

describe('a machine in a folder of its own', () => {
  const ward = freshFolder()

  it('is enrolled by the code that it shows, and reads and writes what its institution may', async () => {
    const told = async (code: string) => {
      const { items } = (await admin('requests')) as { items: { code: string }[] }
      expect(items.map((item) => item.code)).toEqual([code])
      const look = await admin('approve', code, '--reads', '--dry-run')
      expect(look).toMatchObject({ dryRun: true, instance: 'ward-7', reads: true })
      // As people type it.
      const typed = code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o')
      expect(await admin('approve', typed, '--reads', '--confirm', 'ward-7')).toMatchObject({ ok: true })
    }
    const { exit, said } = await enrol(ward, told, '--name', 'ward-7', '--reads')
    expect([exit, said]).toMatchObject([0, { ok: true, instance: 'ward-7', reads: true }])
    expect(existsSync(join(ward, 'enrolment.json'))).toBe(false)
    const shown = await at(ward, 'chain', 'show', record)
    expect([shown.code, jsonOf(shown)]).toMatchObject([0, { ok: true }])
    const entries = (await at(home, 'chain', 'show', record, '--as', 'hospital-a')).out
    expect(jsonOf(shown)['entries']).toEqual((JSON.parse(entries) as Record<string, unknown>)['entries'])
    const rotated = await at(ward, 'rotate', record)
    expect(rotated.code).toBe(0)
  }, 120_000)

  it('has no root key, and nothing of a home', async () => {
    const { keys } = JSON.parse(
      readFileSync(join(ward, 'institutions', 'hospital-a', 'keys.json'), 'utf8'),
    ) as {
      keys: Record<string, unknown>
    }
    expect(Object.keys(keys).toSorted()).toEqual([
      'bridge-index',
      'enrolment',
      'instance/enrolled/1',
      'sealing',
    ])
    for (const command of [
      ['instance', 'enrol'],
      ['instance', 'approve', '0000-0000-0000'],
      ['instance', 'revoke', 'ward-7', '--yes', '--confirm', 'ward-7'],
      ['start'],
    ]) {
      const refused = await at(ward, ...command)
      expect([command, refused.code]).not.toEqual([command, 0])
    }
    expect(
      Object.keys(
        (
          JSON.parse(readFileSync(join(ward, 'institutions', 'hospital-a', 'keys.json'), 'utf8')) as {
            keys: object
          }
        ).keys,
      ),
    ).not.toContain('root')
    expect(existsSync(join(ward, 'home'))).toBe(false)
  }, 60_000)

  it('shows its certificate, verified offline, and says when it was changed', async () => {
    const shown = await at(ward, 'instance', 'certificate')
    expect([shown.code, jsonOf(shown)]).toMatchObject([0, { instance: 'ward-7', institution: 'hospital-a' }])
    const file = join(ward, 'institutions', 'hospital-a', 'certificate.json')
    const whole = readFileSync(file, 'utf8')
    const certificate = JSON.parse(whole) as { blocks: string[]; height: number }
    writeFileSync(file, JSON.stringify({ ...certificate, blocks: certificate.blocks.slice(1) }))
    expect((await at(ward, 'instance', 'certificate')).code).toBe(3)
    writeFileSync(file, whole)
  }, 60_000)

  it('is listed with its end, and is cut off when it is revoked', async () => {
    const { items } = (await admin('list')) as { items: { id: string; expires: string | null }[] }
    expect(items.find(({ id }) => id === 'ward-7')?.expires).toEqual(expect.any(String))
    expect(await admin('revoke', 'ward-7', '--reason', 'suspended', '--confirm', 'ward-7')).toMatchObject({
      ok: true,
    })
    expect((await at(ward, 'chain', 'show', record)).code).toBe(1)
  }, 60_000)
})

describe('a request', () => {
  it('is kept when the command is stopped, and gone on with by the same command', async () => {
    const ward = freshFolder()
    const stopped = enrol(ward, async () => Promise.reject(new Error('stopped')), '--name', 'ward-8')
    await expect(stopped.then(({ exit, said }) => [exit, said])).resolves.toEqual([1, expect.anything()])
    const kept = readFileSync(join(ward, 'enrolment.json'), 'utf8')
    const { exit, said, code } = await enrol(ward, (told) => admin('approve', told, '--confirm', 'ward-8'))
    expect(kept).toContain('request')
    expect([exit, said]).toMatchObject([0, { instance: 'ward-8', reads: false }])
    expect(code).toMatch(/^\w{4}-\w{4}-\w{4}$/)
    const shown = await at(ward, 'chain', 'show', record)
    expect([shown.code, shown.out]).toEqual([1, expect.stringContaining('enrolled without reading')])
  }, 120_000)

  it('is refused with a reason, which the machine shows, and asked anew by the same command', async () => {
    const ward = freshFolder()
    const refused = await enrol(ward, (code) => admin('refuse', code, '--reason', 'not one of ours'))
    expect([refused.exit, refused.said]).toMatchObject([
      1,
      { code: 'FORBIDDEN', message: expect.stringContaining('not one of ours') },
    ])
    const again = await enrol(ward, (code) => admin('approve', code, '--confirm', 'hospital-a-3'))
    expect([again.exit, again.said]).toMatchObject([0, { instance: 'hospital-a-3' }])
    expect(again.code).not.toBe(refused.code)
  }, 120_000)

  it('needs the registry, the institution and a folder of its own', async () => {
    const bare = (...args: string[]) => at(freshFolder(), 'instance', 'enrol', '--at', origin, ...args)
    expect((await bare('--as', 'hospital-a')).code).toBe(2)
    expect((await bare('--registry', registry)).code).toBe(2)
    expect((await bare('--registry', 'x', '--as', 'hospital-a')).code).toBe(2)
    const other = `${registry.startsWith('A') ? 'B' : 'A'}${registry.slice(1)}`
    expect((await bare('--registry', other, '--as', 'hospital-a')).out).toContain(
      'another than the pinned one',
    )
    expect((await bare('--registry', registry, '--as', 'nobody')).out).toContain('no institution nobody')
    const here = await at(
      home,
      'instance',
      'enrol',
      '--at',
      origin,
      '--registry',
      registry,
      '--as',
      'hospital-a',
    )
    expect(here.out).toContain('ALREADY_EXISTS')
    expect((await at(home, 'instance', 'approve', 'nonsense', '--as', 'hospital-a')).code).toBe(2)
    expect((await at(home, 'instance', 'approve', '0000-0000-0000', '--as', 'hospital-a')).out).toContain(
      'NOT_FOUND',
    )
  }, 120_000)
})
