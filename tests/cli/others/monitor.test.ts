// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openHome } from '#cli/open/home.ts'
import { readSettings, type Settings } from '#cli/deployment/settings.ts'
import { openLocal } from '#adapters/local/open.ts'
import { writeWatched } from '#cli/monitor/watched.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { formatPolicy } from '#core/log/policy/policy.ts'
import { select } from '#core/ports/needs.ts'
import { MONITOR_NEEDS } from '#core/server/monitor/needs.ts'
import { watchLog } from '#core/server/monitor/watch.ts'
import { LOG_ORIGIN, LOG_URL, servedLog } from '#tests/core/server/monitor/served-log.ts'
import { logIdOf, logOriginOf } from '#core/api/log.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { freshFolder, run, serveProcess, testPort } from '../harness.ts'
import { lines, told } from '../told.ts'

const [ours, theirs] = [freshFolder(), freshFolder()]
const settingsOf = (folder: string): Settings => {
  const settings = readSettings(folder)
  if (!settings) throw new Error('nothing was set up')
  return settings
}
const theirLog = () => `${settingsOf(theirs).origin}/log`
const keyFlags = (folder: string) => settingsOf(folder).log.flatMap((key) => ['--key', key])

const WITNESS = 'witness w witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU\n'

beforeAll(async () => {
  for (const [folder, port] of [
    [ours, testPort(32)],
    [theirs, testPort(33)],
  ] as const) {
    const args = ['--institution', 'st-anne=St Anne', '--passphrase', 'generated', '--port', port]
    expect((await run(['init', ...args, '--data', folder])).code).toBe(0)
  }
}, 60_000)

/** Adds the log of the home that runs anew, by the keys that it publishes. */
async function fetchedOnly(): Promise<void> {
  const home = settingsOf(theirs).origin
  const file = join(ours, 'monitored', readdirSync(join(ours, 'monitored'))[0] ?? '')
  const before = readFileSync(file, 'utf8')
  const known = await told(ours, 'monitor', 'add', home, '--no-input')
  expect(known).toMatchObject({ exit: 0, changed: false, origin: logOriginOf(home) })
  expect(await told(ours, 'monitor', 'remove', home, '--yes')).toMatchObject({ exit: 0, changed: true })
  const add = (...more: string[]) => lines(ours, 'monitor', 'add', home, '--no-input', ...more)
  expect(await add()).toMatchObject({ code: 2, err: expect.stringContaining('--confirm FINGERPRINT') })
  expect(await add('--confirm', '0000 1111')).toMatchObject({ code: 2 })
  expect(readdirSync(join(ours, 'monitored'))).toEqual([])
  const { fingerprints } = await told(theirs, 'witness', 'status', '--keys')
  const { log } = fingerprints as { log: string }
  expect(await add('--confirm', log)).toMatchObject({ code: 0, err: expect.stringContaining(log) })
  expect(readFileSync(file, 'utf8')).toBe(before)
}

describe('monitor', () => {
  it('lists nothing, and says what to do, before a log is added', async () => {
    expect(await told(ours, 'monitor', 'list')).toEqual({ exit: 0, ok: true, items: [], asks: null })
    expect((await lines(ours, 'monitor', 'status')).out).toMatch(
      /Next: npx ampere monitor add --data \S+ URL\n/,
    )
    const verified = await told(ours, 'verify', '--all')
    expect(verified).toMatchObject({ exit: 0, complete: { asOf: null, records: 0, others: {} } })
  })

  it('takes what witness status --keys prints there as a policy', async () => {
    const file = join(ours, 'handed-over.txt')
    writeFileSync(file, (await lines(theirs, 'witness', 'status', '--keys')).out)
    expect(readFileSync(file, 'utf8')).toMatch(/\nquorum none\n$/)
    const origin = logOriginOf(settingsOf(theirs).origin)
    expect(await told(ours, 'monitor', 'add', theirLog(), '--policy', file)).toMatchObject({
      exit: 0,
      origin,
      keys: 2,
    })
    expect(await told(ours, 'monitor', 'remove', theirLog(), '--yes')).toMatchObject({ exit: 0 })
  })

  it('refuses what is no log, keys of another log, and a policy without the log', async () => {
    const add = (...args: string[]) => told(ours, 'monitor', 'add', ...args)
    expect(await add(settingsOf(ours).origin, '--yes')).toMatchObject({
      exit: 1,
      code: 'CONFIGURATION',
      message: expect.stringContaining('nobody monitors for oneself'),
    })
    expect(await add('nonsense', ...keyFlags(theirs))).toMatchObject({ exit: 2 })
    // Nobody is there to fetch keys from.
    expect(await add(theirLog())).toMatchObject({ exit: 1, code: 'UPSTREAM_FAILED' })
    expect(await add(theirLog(), '--policy', 'x', ...keyFlags(theirs))).toMatchObject({ exit: 2 })
    expect(await add(theirLog(), ...keyFlags(ours))).toMatchObject({ exit: 1, code: 'CONFIGURATION' })
    expect(await add(theirLog(), '--key', 'nonsense')).toMatchObject({ exit: 1, code: 'CONFIGURATION' })
    const file = join(ours, 'theirs.txt')
    writeFileSync(file, 'quorum none\n')
    expect(await add(theirLog(), '--policy', file)).toMatchObject({ exit: 1, code: 'CONFIGURATION' })
    expect(await add(theirLog(), '--policy', `${file}x`)).toMatchObject({ exit: 1, code: 'CONFIGURATION' })
    expect(await told(ours, 'monitor', 'list')).toMatchObject({ items: [] })
  })

  it('copies the log of a home that runs, and says how far it is and what speaks against it', async () => {
    const origin = logOriginOf(settingsOf(theirs).origin)
    const added = await told(ours, 'monitor', 'add', `${theirLog()}/`, ...keyFlags(theirs))
    const said = { ok: true, origin, url: theirLog(), keys: 2, quorum: 'none', effective: 'now' }
    const fingerprint = expect.stringMatching(/^([0-9a-f]{4} ){7}[0-9a-f]{4}$/)
    expect(added).toEqual({ exit: 0, ...said, fingerprint, changed: true, anew: false })
    const again = await lines(ours, 'monitor', 'add', theirLog(), ...keyFlags(theirs))
    expect(again.out).toBe(`${origin} is monitored already. Nothing was changed.\n`)
    expect(await told(ours, 'monitor', 'list')).toMatchObject({
      items: [{ origin, url: theirLog(), keys: settingsOf(theirs).log, quorum: 'none' }],
    })
    expect(await told(ours, 'monitor', 'status')).toMatchObject({
      exit: 0,
      items: [{ origin, status: null }],
    })
    const serving = await serveProcess(['start', '--data', theirs])
    try {
      const passphrase = readFileSync(join(ours, 'passphrase'), 'utf8').trim()
      const home = await openHome(ours, settingsOf(ours), passphrase, silentLog)
      try {
        // Their log has its first leaf within a second of the start.
        const url = `${settingsOf(ours).origin}/v1/lookups/${logIdOf(origin)}`
        const seen = async () =>
          ((await (await home.fetch(new Request(url))).json()) as { size?: number }).size ?? 0
        do await home.watchLogs()
        while ((await seen()) === 0)
      } finally {
        await home.platform.close()
      }
      await fetchedOnly()
    } finally {
      await serving.stop()
    }
    const { items } = await told(ours, 'monitor', 'status')
    expect(items).toMatchObject([
      { status: { origin, size: expect.any(Number), pending: null, findings: [] } },
    ])
    expect((await lines(ours, 'monitor', 'status')).out).toMatch(/ 1 entry verified, none cosigned/)
  }, 60_000)

  it('keeps the witnesses that were named for a log when only its keys are given again', async () => {
    const file = join(ours, 'with-witnesses.txt')
    const [key = ''] = settingsOf(theirs).log
    const text = `log ${key}\n${WITNESS}quorum w\n`
    writeFileSync(file, text)
    const add = (...args: string[]) => told(ours, 'monitor', 'add', theirLog(), ...args)
    expect(await add('--policy', file)).toMatchObject({ changed: true, keys: 1, quorum: 'w' })
    expect(await add('--key', key)).toMatchObject({ changed: false, quorum: 'w' })
    expect(await add(...keyFlags(theirs))).toMatchObject({ changed: true, keys: 2, quorum: 'none' })
  })

  it('ends when it is removed, once, and only after somebody agreed', async () => {
    const remove = (...args: string[]) => lines(ours, 'monitor', 'remove', theirLog(), '--no-input', ...args)
    expect(await remove()).toMatchObject({ code: 2, err: expect.stringContaining('--yes is missing') })
    expect(await told(ours, 'monitor', 'list')).toMatchObject({ items: [{ url: theirLog() }] })
    const { out, code } = await remove('--yes')
    expect([code, out]).toEqual([
      0,
      expect.stringContaining('is monitored no more, also in a server that runs'),
    ])
    expect(await told(ours, 'monitor', 'list')).toMatchObject({ items: [] })
    const none = await remove()
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('there is none (NOT_FOUND)')])
    expect(await told(ours, 'monitor', 'add', theirLog(), ...keyFlags(theirs))).toMatchObject({
      changed: true,
    })
  })

  it('begins anew after remove and add where it has stopped, and keeps the proof', async () => {
    const log = await servedLog()
    const platform = openLocal({ folder: join(ours, 'home'), passphrase: null, fetch: log.fetch })
    const ports = await select(platform, MONITOR_NEEDS)
    const monitor = { verifiers: createVerifiers(), deadline: () => new AbortController().signal }
    const watched = { origin: LOG_ORIGIN, url: LOG_URL, policy: log.policy }
    const status = async () => {
      const { exit, items } = await told(ours, 'monitor', 'status')
      const { checks } = await told(ours, 'doctor')
      const doctor = (checks as { name: string; says: string }[]).find(
        ({ name, says }) => name === 'Monitors' && says.startsWith(LOG_ORIGIN),
      )
      return {
        exit,
        doctor,
        item: (items as { origin: string }[]).find(({ origin }) => origin === LOG_ORIGIN),
      }
    }
    await log.grow(7)
    writeWatched(ours, watched)
    await watchLog(ports, monitor, watched)
    await log.grow(9, { forkAt: 3 })
    await watchLog(ports, monitor, watched)
    await platform.close()
    expect(await status()).toMatchObject({
      exit: 3,
      doctor: { says: expect.stringContaining('fork') },
      item: { status: { stopped: 'fork', size: 7 } },
    })
    expect((await lines(ours, 'monitor', 'status')).out).toContain('It has STOPPED at that (fork)')
    expect(await told(ours, 'monitor', 'remove', LOG_URL, '--yes')).toMatchObject({ exit: 0, changed: true })
    expect(readdirSync(join(ours, 'evidence'))).toHaveLength(1)
    const file = join(ours, 'forked.txt')
    writeFileSync(file, formatPolicy(log.policy))
    const add = ['monitor', 'add', LOG_URL, '--policy', file]
    expect(await told(ours, ...add)).toMatchObject({ exit: 0, anew: true })
    expect(await told(ours, ...add)).toMatchObject({ exit: 0, anew: false, changed: false })
    const again = openLocal({ folder: join(ours, 'home'), passphrase: null, fetch: log.fetch })
    await watchLog(await select(again, MONITOR_NEEDS), monitor, watched)
    await again.close()
    expect(await status()).toMatchObject({
      exit: 0,
      doctor: undefined,
      item: { status: { stopped: null, size: 9, findings: [{ kind: 'fork' }] } },
    })
    expect(await told(ours, 'monitor', 'remove', LOG_URL, '--yes')).toMatchObject({ exit: 0 })
  }, 30_000)

  it('says which file is wrong, of logs and of monitors', async () => {
    const monitors = join(ours, 'monitors.json')
    writeFileSync(monitors, '{"origins":["https://st-mary.example"],"need":1}')
    expect(await told(ours, 'monitor', 'list')).toMatchObject({
      asks: { origins: ['https://st-mary.example'], need: 1 },
    })
    for (const text of [
      '{"origins":["https://st-mary.example"],"need":2}',
      '{"origins":["https://st-mary.example/"],"need":1}',
      '{"origins":[],"need":0}',
      '{',
    ]) {
      writeFileSync(monitors, text)
      const { err } = await lines(ours, 'monitor', 'list')
      expect(err).toContain(monitors)
    }
    writeFileSync(monitors, '{"origins":["https://st-mary.example"],"need":1}')
    const [file = ''] = readdirSync(join(ours, 'monitored'))
    writeFileSync(join(ours, 'monitored', file), 'quorum none\n')
    expect((await lines(ours, 'monitor', 'list')).err).toContain(file)
  })
})
