// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cloudFolder, writeCloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { trustedIn } from '#cli/cloud/trusted.ts'
import { linesOf, type PublishedKeys } from '#cli/witness/published-keys.ts'
import { LOG_PREFIX, WITNESS_PREFIX } from '#core/api/log.ts'
import { asDeploymentId, asDigest } from '#core/bytes/ids.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { acceptedLogs, parseConfig, watchedLogs } from '#functions/host/cloud/config.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { freshFolder, run } from '../harness.ts'
import { lines, told } from '../told.ts'

const OURS = 'https://ours.example'
const THEIRS = 'https://theirs.example'
const data = freshFolder()
const folder = cloudFolder(data, 'aws', 'prod')
const cloud = (...args: readonly string[]) => told(data, ...args, '--cloud', 'aws-prod')

/** The keys that a home publishes. */
async function published(
  origin: string,
  seed: number,
): Promise<{ log: PublishedKeys; witness: PublishedKeys }> {
  const host = new URL(origin).host
  const [log, first, second] = await Promise.all([
    signerOf(`${host}${LOG_PREFIX}`, 'Ed25519', seed),
    signerOf(`${host}${WITNESS_PREFIX}`, 'cosignature-Ed25519', seed + 1),
    signerOf(`${host}${WITNESS_PREFIX}`, 'cosignature-ML-DSA-44', seed + 2),
  ])
  return {
    log: { name: log.key.name, url: `${origin}${LOG_PREFIX}`, keys: [log.key] },
    witness: { name: first.key.name, url: `${origin}${WITNESS_PREFIX}`, keys: [first.key, second.key] },
  }
}

/** What its functions would be told. */
async function configured() {
  const { log, witness } = await published(OURS, 30)
  const own = { logKeys: log.keys.map(formatVerifierKey), witnessKeys: witness.keys.map(formatVerifierKey) }
  const home = { v: 1, deployment: 'home-1', origin: OURS, registry: 'A'.repeat(43), backupDays: 35 }
  return parseConfig(JSON.stringify({ ...home, ...own, ...trustedIn(folder, OURS) }))
}

beforeAll(async () => {
  const { log, witness } = await published(OURS, 30)
  writeCloudDeployment(folder, {
    v: 1,
    provider: 'aws',
    stage: 'prod',
    region: 'eu-central-1',
    parameters: {},
    institutions: [{ id: 'st-anne', name: 'St Anne' }],
    demo: false,
    home: {
      deployment: asDeploymentId('home-1'),
      origin: OURS,
      registry: asDigest('A'.repeat(43)),
      log: log.keys.map(formatVerifierKey),
      witness: witness.keys.map(formatVerifierKey),
    },
  })
  for (const [origin, seed] of [
    [OURS, 30],
    [THEIRS, 40],
  ] as const)
    writeFileSync(
      join(data, `${new URL(origin).host}.txt`),
      `${linesOf(await published(origin, seed)).join('\n')}\n`,
    )
})
const keys = (host: string) => ['--keys', join(data, `${host}.txt`)]

describe('whom a home in a cloud trusts', () => {
  it('is nobody, until somebody says so here', async () => {
    expect(await cloud('witness', 'list')).toMatchObject({ quorum: null, witnesses: [], logs: [] })
    expect(await configured()).toMatchObject({ policy: null, accepted: [], watched: [], mirrored: [] })
  })

  it('is told to its functions when it is deployed again', async () => {
    expect(await cloud('witness', 'add', ...keys('theirs.example'))).toMatchObject({
      changed: true,
      name: 'theirs.example/witness',
      quorum: { need: 1, of: 1 },
      effective: 'next-deploy',
    })
    expect(await cloud('witness', 'accept', ...keys('theirs.example'))).toMatchObject({
      changed: true,
      log: 'theirs.example/log',
      effective: 'next-deploy',
    })
    const monitor = ['monitor', 'add', THEIRS, ...keys('theirs.example')]
    expect(await cloud(...monitor)).toMatchObject({ changed: true, effective: 'next-deploy' })
    for (const again of [
      ['witness', 'add'],
      ['witness', 'accept'],
      ['monitor', 'add', THEIRS],
    ])
      expect(await cloud(...again, ...keys('theirs.example'))).toMatchObject({ changed: false })
    expect(await cloud('witness', 'list')).toMatchObject({
      witnesses: [{ name: 'theirs.example/witness', url: `${THEIRS}/witness` }],
      logs: [{ origin: 'theirs.example/log' }],
    })
    expect(await cloud('monitor', 'list')).toMatchObject({ items: [{ origin: 'theirs.example/log' }] })
    const config = await configured()
    expect(config.policy?.witnesses.map(({ url }) => url)).toEqual([`${THEIRS}/witness`, `${THEIRS}/witness`])
    expect(config.policy?.logs.map(({ key }) => key.name)).toEqual(['ours.example/log'])
    expect(acceptedLogs(config).map(({ origin }) => origin)).toEqual(['theirs.example/log'])
    expect(watchedLogs(config).map(({ url }) => url)).toEqual([`${THEIRS}/log`])
  })

  it('is taken back the same way', async () => {
    expect(await cloud('witness', 'accept', '--stop', 'theirs.example/log')).toMatchObject({ changed: true })
    expect(await cloud('monitor', 'remove', THEIRS, '--yes')).toMatchObject({ effective: 'next-deploy' })
    const only = await lines(data, 'witness', 'remove', THEIRS, '--yes', '--cloud', 'aws-prod')
    expect([only.code, only.err]).toEqual([1, expect.stringContaining('it is the only witness')])
    expect(await configured()).toMatchObject({ accepted: [], watched: [] })
  })

  it.each([
    [['witness', 'add', '--cloud', 'prod'], 2, 'such as aws-prod'],
    [['witness', 'add', '--cloud', 'azure-prod'], 1, 'no home was deployed as azure-prod'],
    [['witness', 'accept', '--cloud', 'aws-prod'], 1, 'nobody witnesses for oneself'],
    [['witness', 'add', '--cloud', 'aws-prod'], 1, 'nobody witnesses for oneself'],
  ])('is not changed by %j', async (args, code, says) => {
    const refused = await run([...args, ...keys('ours.example'), '--data', data])
    expect({ code: refused.code, err: refused.err }).toEqual({ code, err: expect.stringContaining(says) })
  })
})
