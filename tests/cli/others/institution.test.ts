// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { homeFingerprint } from '#cli/mirror/fingerprints.ts'
import { freshFolder, serveProcess, testPort, type Serving } from '../harness.ts'
import { lines, told } from '../told.ts'
import { settingsOf } from './operators.ts'

/** The home with the keys of a; the keys of b on another machine; a newcomer on a third one. */
const [home, second, third] = [freshFolder(), freshFolder(), freshFolder()]
const ORIGIN = `http://127.0.0.1:${testPort(100)}`
let serving: Serving
let fingerprint = ''

interface Shown {
  readonly action: string
  readonly signed: readonly string[]
  readonly missing: readonly string[]
  readonly changes: readonly object[]
}
async function open(folder: string): Promise<readonly Shown[]> {
  const { exit, proposals } = await told(folder, 'institution', 'list')
  expect(exit).toBe(0)
  return proposals as Shown[]
}
async function nameOfOpen(folder: string): Promise<string> {
  return (await open(folder))[0]?.action.slice(0, 8) ?? ''
}

beforeAll(async () => {
  const founders = ['--institution', 'a=A', '--institution', 'b=B']
  const where = ['--passphrase', 'generated', '--port', testPort(100)]
  expect(await told(home, 'init', ...founders, ...where)).toMatchObject({ exit: 0 })
  const { registry, log } = settingsOf(home)
  fingerprint = homeFingerprint(registry, log)
  serving = await serveProcess(['start', '--data', home])
  cpSync(join(home, 'institutions', 'b'), join(second, 'institutions', 'b'), { recursive: true })
  cpSync(join(home, 'passphrase'), join(second, 'passphrase'))
}, 120_000)
afterAll(async () => {
  await serving?.kill()
})

describe('members at different machines', () => {
  it('confirm at which home their registry is, and keep the keys that they have', async () => {
    const asked = ['institution', 'new', 'b', '--home', ORIGIN]
    expect(await told(second, ...asked, '--confirm', 'another')).toMatchObject({ exit: 2 })
    expect(await told(second, 'institution', 'list', '--as', 'b')).toMatchObject({ exit: 2 })
    expect(await told(second, ...asked, '--confirm', fingerprint)).toMatchObject({
      exit: 0,
      changed: false,
      home: { origin: ORIGIN, registry: settingsOf(home).registry },
    })
    expect(await told(second, 'institution', 'list')).toMatchObject({
      exit: 0,
      items: [
        { id: 'a', status: 'member', isHere: false },
        { id: 'b', status: 'member', isHere: true },
      ],
      proposals: [],
    })
  })

  it('admit an institution by a majority of signatures, each given where its key is', async () => {
    const made = await told(third, 'institution', 'new', 'c', '--name', 'C', '--home', ORIGIN, '--yes')
    expect(made).toMatchObject({ exit: 0, changed: true, institution: 'c' })
    expect((await lines(third, 'institution', 'list')).out).toContain('c is not admitted.')
    const propose = ['institution', 'propose', 'admit', String(made['file'])]
    expect(await told(home, ...propose, '--dry-run')).toMatchObject({ exit: 0, dryRun: true })
    expect(await told(home, ...propose, '--confirm', 'another')).toMatchObject({ exit: 2 })
    expect(await open(home)).toEqual([])
    const proposed = await told(home, ...propose, '--confirm', String(made['fingerprint']))
    expect(proposed).toMatchObject({ exit: 0, by: 'a', signed: ['a'], missing: ['b'], inForce: null })
    // Given again it is the same.
    expect(await told(home, ...propose, '--confirm', String(made['fingerprint']))).toMatchObject({
      exit: 0,
      proposal: proposed['proposal'],
    })
    const name = await nameOfOpen(second)
    const { out } = await lines(second, 'institution', 'show', name)
    expect(out).toContain('Admits c (C)')
    expect(out).toContain(String(made['fingerprint']))
    expect(out).toContain('It waits 24 hours from then on')
    expect(await told(second, 'institution', 'sign', name, '--dry-run')).toMatchObject({
      exit: 0,
      signed: ['a'],
    })
    expect((await open(second))[0]?.signed).toEqual(['a'])
    expect(await told(second, 'institution', 'sign', name, '--confirm', name)).toMatchObject({
      exit: 0,
      inForce: 1,
    })
    expect(await told(second, 'institution', 'show', name)).toMatchObject({ exit: 1, code: 'NOT_FOUND' })
    expect(await told(third, 'institution', 'list')).toMatchObject({
      items: [{ id: 'a' }, { id: 'b' }, { id: 'c', status: 'waiting', isHere: true }],
    })
    expect((await lines(home, 'institution', 'list')).out).toMatch(/c +C +waits until /)
  }, 60_000)

  it('hear no vote of who waits, and remove it again', async () => {
    expect(await told(third, 'institution', 'propose', 'remove', 'a', '--confirm', 'a')).toMatchObject({
      exit: 1,
      code: 'VIOLATION',
      message: expect.stringContaining('waiting'),
    })
    const out = ['institution', 'propose', 'remove', 'c', '--confirm', 'c']
    expect(await told(second, ...out)).toMatchObject({ exit: 0, by: 'b', missing: ['a'], inForce: null })
    const name = await nameOfOpen(home)
    expect(await told(home, 'institution', 'sign', name, '--confirm', name)).toMatchObject({
      exit: 0,
      inForce: 2,
    })
    expect((await lines(third, 'institution', 'list')).out).toMatch(/c +C +removed/)
  }, 60_000)

  it('take back what they proposed alone', async () => {
    const move = ['institution', 'propose', 'rules', 'home-1', '--confirm', 'home-1']
    expect(await told(second, ...move)).toMatchObject({ exit: 0, by: 'b' })
    const name = await nameOfOpen(home)
    expect(await told(home, 'institution', 'withdraw', name)).toMatchObject({ exit: 1, code: 'FORBIDDEN' })
    expect(await told(second, 'institution', 'withdraw', name)).toMatchObject({ exit: 0, signed: ['b'] })
    expect(await open(home)).toEqual([])
  }, 60_000)

  it('are told what is no proposal, no file and no member', async () => {
    const none = join(third, 'none.json')
    writeFileSync(none, readFileSync(join(third, 'members.json')))
    for (const [args, exit] of [
      [['propose', 'admit', join(third, 'absent')], 1],
      [['propose', 'admit', none], 1],
      [['propose', 'remove', 'nobody', '--confirm', 'nobody'], 1],
      [['propose', 'expel', 'b'], 2],
      [['propose', 'remove', 'b', '--days', '31'], 2],
      [['show', 'abcdefgh'], 1],
      [['show', 'abc'], 2],
      [['new', 'No Id'], 2],
    ] as const)
      expect(await told(home, 'institution', ...args)).toMatchObject({ exit })
  }, 60_000)
})
