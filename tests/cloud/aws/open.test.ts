// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import type { AwsNaming } from '#adapters/aws/clients/naming.ts'
import { openAws } from '#adapters/aws/open.ts'
import { AmpereError } from '#core/errors.ts'
import { fakeServer } from './fakes/fake-server.ts'
import { CREDENTIALS } from './stack.ts'

const ID = '11111111-2222-3333-4444-555555555555'
const NAMING: AwsNaming = { prefix: 'ampere', buckets: { bucketPrefix: 'ampere' }, keys: { kms: {} } }
const open = (naming: Partial<AwsNaming>, region = 'eu-central-1') =>
  openAws({ region, naming: { ...NAMING, ...naming }, credentials: CREDENTIALS })

describe('the names of a deployment on AWS', () => {
  it.each([
    ['alias/ampere', 'the key witness is named by an alias'],
    [`arn:aws:kms:eu-central-1:123456789012:alias/ampere`, 'the key witness is named by an alias'],
    ['ampere', 'the key witness is not named by the id or the ARN of a key of KMS'],
    [`arn:aws:kms:eu-central-1:123456789012:key/*`, 'the key witness is not named by the id'],
  ])('have no key %s', (id, message) => {
    expect(() => open({ keys: { kms: { witness: id } } })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION', message: expect.stringContaining(message) }),
    )
  })

  it.each([
    ID,
    `mrk-${'0'.repeat(32)}`,
    `arn:aws:kms:eu-central-1:123456789012:key/${ID}`,
    `arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/${ID}`,
  ])('may have the key %s', async (id) => {
    await open({ keys: { kms: { witness: id }, softwareKeys: { table: 'keys', wrappingKey: id } } }).close()
  })

  it('have no key of KMS for the heads of chains', () => {
    expect(() => open({ keys: { kms: { head: ID } } })).toThrow(
      new AmpereError(
        'CONFIGURATION',
        'the key head is a software key: it signs every append, and each would cost a request',
      ),
    )
  })

  it('have a region, a prefix and buckets that AWS could have', () => {
    expect(() => open({}, 'Frankfurt')).toThrow('"Frankfurt" is not the name of a region of AWS')
    expect(() => open({ prefix: 'a b' })).toThrow('the prefix of the tables has a character')
    expect(() => open({ buckets: { bucketPrefix: 'Ampere' } }).objects('entries')).toThrow(
      'the bucket for the objects "entries" has no possible name',
    )
    expect(() => open({ buckets: { log: 'ampere-log' } }).objects('entries')).toThrow(
      'no bucket is named for the objects "entries"',
    )
  })

  it('that are left out are keys that cannot be used', async () => {
    const platform = open({})
    for (const name of ['instance', 'log', 'head'] as const)
      await expect(platform.signer(name)).rejects.toMatchObject({ code: 'KEY_UNAVAILABLE' })
    await expect(platform.unwrapper('sealing')).rejects.toMatchObject({ code: 'KEY_UNAVAILABLE' })
  })
})

describe('connections to AWS', () => {
  afterEach(() => void jest.restoreAllMocks())

  it('are used again, but not after they were idle for long, by the wall clock', async () => {
    const server = await fakeServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}')
    })
    const platform = openAws({
      region: 'eu-central-1',
      naming: NAMING,
      credentials: CREDENTIALS,
      endpoint: server.url,
    })
    const table = platform.table('blocks')
    for (let i = 0; i < 3; i++) await table.get('p', 'k')
    expect(server.connections()).toBe(1)
    // A function was frozen: no timer ran, and the clock has leapt.
    const before = Date.now()
    jest.spyOn(Date, 'now').mockImplementation(() => before + 60_000)
    await table.get('p', 'k')
    expect(server.connections()).toBe(2)
    await platform.close()
    await server.close()
  })
})

describe('what is loaded', () => {
  it('is nothing of S3 and KMS for a role that uses tables', () => {
    const script = `
      const { registerHooks } = await import('node:module')
      const seen = new Set()
      registerHooks({ load: (url, context, next) => { seen.add(url.match(/client-(dynamodb|s3|kms)/)?.[1]); return next(url, context) } })
      const { openAws } = await import('#adapters/aws/open.ts')
      const platform = openAws({ region: 'eu-central-1', endpoint: 'http://127.0.0.1:1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
        naming: { prefix: 'ampere', buckets: { bucketPrefix: 'ampere' }, keys: { kms: {} } } })
      const opened = [...seen].filter(Boolean)
      platform.objects('entries')
      await platform.table('blocks').get('p', 'k').catch(() => {})
      console.log(JSON.stringify([opened, [...seen].filter(Boolean)]))
    `
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script],
      { encoding: 'utf8' },
    )
    expect({ stderr, said: JSON.parse(stdout || 'null') }).toEqual({ stderr: '', said: [[], ['dynamodb']] })
  })
})
