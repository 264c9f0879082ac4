// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { copyOf, freshFolder, lost, serveProcess, testPort, type Serving } from '../harness.ts'
import { lines, told } from '../told.ts'
import { earlier, init, killedBefore, settingsOf, witnessed } from './operators.ts'

const [home, mirror] = [freshFolder(), freshFolder()]
const [HOME, MIRROR] = [40, 41].map((n) => `http://127.0.0.1:${testPort(n)}`) as [string, string]
/** Servers that run. */
const running = new Map<string, Serving>()
let short = ''
/** The mirror as it was after its first run, and an export of the home from then. */
let outdated = ''
const exported = join(home, '..', 'before.ampere')

async function start(folder: string): Promise<void> {
  // One that a failed test left would hold its folder, and this process, for ever.
  await stop(folder, 'kill')
  running.set(folder, await serveProcess(['start', '--data', folder]))
}
async function stop(folder: string, how: 'stop' | 'kill' = 'stop'): Promise<void> {
  await running.get(folder)?.[how]()
  running.delete(folder)
}
/** The mirror's server runs as soon as it serves, and ends no run half-way. */
async function mirrorOnce(): Promise<void> {
  await stop(mirror)
  await start(mirror)
  await stop(mirror)
}

/** One resource of one patient. */
async function file(id: string): Promise<void> {
  const path = join(home, '..', `${id}.ndjson`)
  const subject = { reference: 'Patient/p1' }
  const resources = [
    { resourceType: 'Patient', id: 'p1', birthDate: '1980-01-01' },
    { resourceType: 'Encounter', id, status: 'finished', class: { code: 'AMB' }, subject },
  ]
  writeFileSync(path, resources.map((one) => `${JSON.stringify(one)}\n`).join(''))
  expect(await told(home, 'import', path)).toMatchObject({ exit: 0 })
}

async function statusesOf(): Promise<readonly string[]> {
  const { items } = await told(home, 'chain', 'show', short)
  return (items as { status: string }[]).map(({ status }) => status)
}

beforeAll(async () => {
  await earlier(4, async () => {
    expect(await init(home, 'st-anne=St Anne', 40)).toMatchObject({ exit: 0 })
    await file('e1')
    const { items } = await told(home, 'chain', 'list')
    short = (items as { chain: string }[])[0]?.chain.slice(0, 8) ?? ''
    await file('e2')
    const blocks = (await told(home, 'chain', 'show', short))['items'] as { height: number; type: string }[]
    const last = blocks.findLast(({ type }) => type === 'record')?.height ?? 0
    const { entries } = await told(home, 'chain', 'show', short, '--block', String(last))
    const id = (entries as { id: string }[])[0]?.id ?? ''
    expect(
      await told(home, 'erase', short, '--entries', id, '--ground', 'misfiled', '--confirm', short),
    ).toMatchObject({ exit: 0 })
  })
  expect(await init(mirror, 'st-mary=St Mary', 41)).toMatchObject({ exit: 0 })
  await start(home)
  await start(mirror)
}, 120_000)
afterAll(async () => {
  for (const folder of running.keys()) await stop(folder, 'kill')
})

describe('two operators', () => {
  it('make one the mirror of the other with a command on each side, each confirming the other', async () => {
    const { home: ours } = await told(home, 'mirror', 'status')
    const { institution: theirs } = await told(mirror, 'mirror', 'status')
    expect([ours, theirs]).toEqual([
      expect.stringMatching(/^([0-9a-f]{4} ?){8}$/),
      expect.stringMatching(/^([0-9a-f]{4} ?){8}$/),
    ])
    const enter = ['mirror', 'join', HOME, '--confirm']
    expect(await told(mirror, ...enter, String(ours))).toMatchObject({
      exit: 1,
      code: 'FORBIDDEN',
      message: expect.stringContaining(String(theirs)),
      next: expect.stringContaining(`mirror admit ${MIRROR}`),
    })
    const admit = ['mirror', 'admit', MIRROR, '--confirm']
    expect(await told(home, ...admit, String(ours))).toMatchObject({ exit: 2 })
    expect((await lines(home, 'mirror', 'admit', MIRROR)).code).toBe(2)
    await stop(home)
    const admitted = { exit: 0, changed: true, home: ours }
    await earlier(2, async () => expect(await told(home, ...admit, String(theirs))).toMatchObject(admitted))
    await start(home)
    expect(await told(home, ...admit, 'of no matter')).toMatchObject({ exit: 0, changed: false })
    expect(await told(mirror, ...enter, String(theirs))).toMatchObject({ exit: 2 })
    expect(await told(mirror, 'mirror', 'status')).toMatchObject({ homes: [] })
    expect(await told(mirror, ...enter, String(ours))).toMatchObject({ exit: 0, changed: true, origin: HOME })
    expect(await told(mirror, ...enter, String(ours))).toMatchObject({ exit: 0, changed: false })
  }, 60_000)

  it('refuse themselves, what does not answer, and a second home of the same name', async () => {
    for (const [folder, ...args] of [
      [home, 'admit', HOME],
      [mirror, 'join', MIRROR],
      [home, 'admit', `http://127.0.0.1:${testPort(42)}`],
      [mirror, 'join', `http://127.0.0.1:${testPort(42)}`],
    ] as const)
      expect(await told(folder, 'mirror', ...args, '--yes')).toMatchObject({ exit: 1 })
    const other = freshFolder()
    await init(other, 'st-eve=St Eve', 42)
    const serving = await serveProcess(['start', '--data', other])
    try {
      const policy = join(other, 'log.txt')
      const { out } = await lines(other, 'witness', 'status', '--keys')
      writeFileSync(
        policy,
        `${out
          .split('\n')
          .filter((line) => line.startsWith('log '))
          .join('\n')}\nquorum none\n`,
      )
      const add = ['mirror', 'add', `http://127.0.0.1:${testPort(42)}`, '--policy', policy]
      expect(await told(mirror, ...add)).toMatchObject({ exit: 3, code: 'VERIFICATION_FAILED' })
      // It is called home-1 as well.
      const { homes } = await told(mirror, 'mirror', 'status')
      const named = [...add, '--registry', settingsOf(other).registry]
      expect(homes).toMatchObject([{ deployment: 'home-1', origin: HOME }])
      expect(await told(mirror, ...named)).toMatchObject({ exit: 1, code: 'ALREADY_EXISTS' })
    } finally {
      await serving.kill()
    }
  }, 60_000)
})

describe('a mirror that is served', () => {
  it('copies as soon as it starts, and says up to where it holds a record', async () => {
    expect(await told(home, 'witness', 'add', MIRROR, '--yes')).toMatchObject({ exit: 0 })
    expect(await told(mirror, 'witness', 'accept', HOME, '--yes')).toMatchObject({ exit: 0 })
    expect(await told(home, 'grant', short, 'st-mary', '--hold')).toMatchObject({ exit: 0 })
    expect(await told(home, 'chain', 'show', short)).toMatchObject({
      exit: 0,
      mirrors: [{ says: 'nothing' }],
    })
    await stop(home)
    await start(home)
    await mirrorOnce()
    expect(await told(mirror, 'mirror', 'status')).toMatchObject({
      exit: 0,
      homes: [{ origin: HOME, institution: 'st-mary', last: { chains: 2, problems: 0 } }],
    })
    expect(await told(home, 'chain', 'show', short)).toMatchObject({ exit: 0, mirrors: [{ says: 'failed' }] })
    await start(mirror)
    const height = (await statusesOf()).length - 1
    expect(await told(home, 'chain', 'show', short)).toMatchObject({
      exit: 0,
      mirrors: [{ institution: 'st-mary', origin: MIRROR, says: 'mirrored', height }],
    })
    expect((await lines(home, 'chain', 'show', short)).out).toContain(
      `Mirrored up to block ${height} by st-mary (${MIRROR}) as of `,
    )
    expect((await lines(home, 'verify', '--all')).out).toContain(
      'Mirrored: 1 record up to the newest block, by st-mary',
    )
    await stop(mirror)
    outdated = copyOf(mirror)
    expect(await told(home, 'chain', 'export', short, exported)).toMatchObject({ exit: 0 })
  }, 120_000)

  it('carries out an erasure that it sees', async () => {
    expect(await statusesOf()).not.toContain('erased')
    const shown = (await told(home, 'chain', 'show', short))['items'] as { height: number; type: string }[]
    const request = shown.find(({ type }) => type === 'erase')?.height
    const complete = ['erase', short, '--complete', String(request), '--confirm', short]
    // Requested as if four days ago; witnesses see it now, or in a moment.
    const refused = { code: 'PRECONDITION_FAILED', next: expect.stringContaining('--unwitnessed') }
    expect(await told(home, ...complete)).toMatchObject(refused)
    expect(await told(home, ...complete, '--unwitnessed')).toMatchObject({ exit: 0, act: 'complete' })
    await file('e3')
    await mirrorOnce()
    expect(await statusesOf()).toContain('erased')
  }, 120_000)
})

describe('a lost home', () => {
  const restore = (folder: string, ...args: string[]) => told(folder, 'mirror', 'restore', ...args)

  it('is not restored where it lives', async () => {
    expect(await restore(home, MIRROR)).toMatchObject({ exit: 1, code: 'ALREADY_EXISTS' })
    expect(await restore(lost(home), MIRROR)).toMatchObject({
      exit: 1,
      code: 'ALREADY_EXISTS',
      message: expect.stringContaining(`answers at ${HOME}`),
    })
    // What was read is entered when the server stops; the mirror copies that too.
    await stop(home)
    await start(mirror)
    await start(home)
    await witnessed(home)
    await mirrorOnce()
    await stop(home, 'kill')
  }, 60_000)

  it('is not restored from an outdated mirror, which its witness tells, and seen heads where it is silent', async () => {
    await start(mirror)
    const folder = lost(home)
    const ahead = await restore(folder, outdated)
    expect(ahead).toMatchObject({
      exit: 3,
      code: 'VERIFICATION_FAILED',
      message: expect.stringMatching(/WENT ON.*rule log-ahead/),
    })
    expect(ahead['next']).toContain('docs/OPERATIONS.md')
    expect(await restore(folder, outdated, '--without-witness', '--accept-loss')).toMatchObject({
      exit: 3,
      message: expect.stringContaining('log-ahead'),
    })
    await stop(mirror)
    expect(await restore(folder, outdated)).toMatchObject({ exit: 1, code: 'UPSTREAM_FAILED' })
    expect(await restore(folder, outdated, '--without-witness')).toMatchObject({
      exit: 3,
      message: expect.stringContaining('rule tail'),
      next: expect.stringMatching(/another mirror.*--accept-loss.*home\.restoring/),
    })
    const accepted = await restore(folder, outdated, '--without-witness', '--accept-loss')
    expect(accepted).toMatchObject({ exit: 3, since: expect.any(String), notHeld: [] })
    expect(accepted['losses']).toContainEqual({
      chain: expect.stringContaining(short),
      height: expect.any(Number),
      rule: 'tail',
    })
    expect(existsSync(join(folder, 'home', 'ampere.db'))).toBe(true)
  }, 60_000)

  it('is restored by a process that is killed again and again, and by the one that is not', async () => {
    await start(mirror)
    const folder = lost(home)
    for (const after of [3, 12, 25]) {
      const { code, out } = await killedBefore(after, ['mirror', 'restore', MIRROR, '--data', folder])
      expect({ after, code, out }).toEqual({ after, code: -1, out: '' })
      const made = ['home/ampere.db', 'home.restoring/restored-from'].map((name) =>
        existsSync(join(folder, name)),
      )
      expect(made).toEqual([false, true])
    }
    // Whatever looks at the folder meanwhile begins no home in it.
    expect(await told(folder, 'verify', '--all')).toMatchObject({ exit: 1, code: 'NOT_FOUND' })
    expect(existsSync(join(folder, 'home', 'ampere.db'))).toBe(false)
    const { code, out, err } = await lines(folder, 'mirror', 'restore', MIRROR)
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('Going on with') })
    expect(out).toContain('Restored: 2 chains')
    expect(out).toContain(`kept as ${join(folder, 'home.lost-')}`)
    expect(await told(folder, 'audit', '--stores')).toMatchObject({ exit: 0, ok: true, problems: [] })
    await stop(mirror)
  }, 120_000)

  it('comes back from the server of its mirror, erased things erased, and goes on', async () => {
    await start(mirror)
    const keys = join(home, '..', 'keys.json')
    cpSync(join(home, 'home', 'keys.json'), keys)
    rmSync(join(home, 'home'), { recursive: true })
    mkdirSync(join(home, 'home'))
    cpSync(keys, join(home, 'home', 'keys.json'))
    const restored = await restore(home, MIRROR)
    expect(restored).toMatchObject({
      exit: 0,
      chains: 2,
      losses: [],
      notHeld: [],
      erasures: 1,
      unexplained: 0,
    })
    expect(existsSync(join(home, 'home.restoring'))).toBe(false)
    expect(existsSync(join(home, 'home', 'restored-from'))).toBe(false)
    expect(await restore(home, MIRROR)).toMatchObject({ code: 'ALREADY_EXISTS' })
    expect(await statusesOf()).toContain('erased')
    const clean = { exit: 0, ok: true, problems: [], log: { findings: [] } }
    expect(await told(home, 'audit', '--stores')).toMatchObject(clean)
    expect(await told(home, 'verify', exported)).toMatchObject({ exit: 0, ok: true })
    await start(home)
    await file('e4')
    await stop(home)
    await start(home)
    expect(await told(home, 'witness', 'status')).toMatchObject({
      exit: 0,
      reached: true,
      witnesses: [{ alarm: null }],
    })
    expect(await told(home, 'verify', '--all')).toMatchObject({
      exit: 3,
      problems: [{ rule: 'delay-unseen', status: 'suspect' }],
    })
    expect(await told(home, 'audit', '--stores')).toMatchObject(clean)
    await mirrorOnce()
    await start(mirror)
    const { mirrors, items } = await told(home, 'chain', 'show', short)
    expect(mirrors).toMatchObject([{ says: 'mirrored', height: (items as unknown[]).length - 1 }])
  }, 120_000)
})
