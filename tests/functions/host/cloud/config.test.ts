// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { acceptedLogs, parseConfig, readBeside, watchedLogs } from '#functions/host/cloud/config.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { testDeployment } from '#tests/deployment.ts'

async function example(): Promise<Record<string, unknown>> {
  const { logTrust, registryId } = await testDeployment(['hospital-a'])
  const logKeys = logTrust.keys.map(formatVerifierKey)
  return {
    v: 1,
    deployment: 'home-1',
    origin: 'http://home.test',
    registry: registryId,
    backupDays: 35,
    logKeys,
    witnessKeys: logKeys,
    policy: null,
  }
}

describe('the configuration of a deployment in a cloud', () => {
  it.each([
    ['origin', 'https://home.test/path'],
    ['origin', 'ftp://home.test'],
    ['origin', 'https://home.test?x'],
    ['backupDays', -1],
    ['registry', 'x'],
    ['logKeys', []],
    ['logKeys', ['not a key']],
    ['witnessKeys', 'x'],
    ['policy', 'quorum of none'],
    ['watched', ['x']],
    ['accepted', ['x']],
    ['mirrored', [{ deployment: 'home-2', origin: 'https://other.test' }]],
    ['v', 2],
    ['unknown', true],
  ])('is refused, by its member, where %s is %j', async (member, value) => {
    const text = JSON.stringify({ ...(await example()), [member]: value })
    expect(() => parseConfig(text)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
  })

  it('is refused where it is no JSON, and where a policy does not have the log of this home', async () => {
    expect(() => parseConfig('{')).toThrow('it is not JSON')
    const { logKeys, ...rest } = await example()
    const text = {
      ...rest,
      logKeys,
      origin: 'https://other.test',
      policy: `log ${String(logKeys).split(',')[0]}\nquorum none\n`,
    }
    expect(() => parseConfig(JSON.stringify(text))).toThrow('no line for the log of this home')
  })

  it('lies beside the code, unless a variable names another file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ampere-config-'))
    const beside = pathToFileURL(join(folder, 'index.mjs')).href
    expect(() => readBeside(beside, {})).toThrow('there is no ampere.json beside the code')
    writeFileSync(join(folder, 'ampere.json'), JSON.stringify(await example()))
    expect(parseConfig(readBeside(beside, {})).deployment).toBe('home-1')
    const other = join(folder, 'other.json')
    writeFileSync(other, JSON.stringify({ ...(await example()), deployment: 'home-2' }))
    expect(parseConfig(readBeside(beside, { AMPERE_CONFIG: other })).deployment).toBe('home-2')
    expect(() => readBeside(beside, { AMPERE_CONFIG: join(folder, 'none') })).toThrow('AMPERE_CONFIG')
  })

  it('gives the logs to be monitored only where each has one origin and a URL', async () => {
    const base = await example()
    const [key] = base['logKeys'] as string[]
    const config = (policy: string) => parseConfig(JSON.stringify({ ...base, watched: [policy] }))
    expect(watchedLogs(config(`log ${key} https://home.test/log\nquorum none\n`))).toMatchObject([
      { origin: 'home.test/log', url: 'https://home.test/log' },
    ])
    expect(() => watchedLogs(config(`log ${key}\nquorum none\n`))).toThrow('its URL')
  })

  it('gives the logs to be cosigned only where each has one origin, and not its own', async () => {
    const base = await example()
    const [key] = base['logKeys'] as string[]
    const config = (origin: string, accepted: string) =>
      parseConfig(JSON.stringify({ ...base, origin, accepted: [accepted] }))
    const accepted = `log ${key}\nquorum none\n`
    expect(acceptedLogs(config('https://other.test', accepted))).toMatchObject([
      { origin: 'home.test/log', keys: [{ name: 'home.test/log' }] },
    ])
    expect(() => acceptedLogs(config('http://home.test', accepted))).toThrow('not of its own')
    expect(() => acceptedLogs(config('https://other.test', 'quorum none\n'))).toThrow('keys of one log')
  })
})
