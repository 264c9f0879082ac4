// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { withFaults } from '#adapters/around/faults.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { logOriginOf, WITNESS_PREFIX, witnessNameOf } from '#core/api/log.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { formatAddCheckpoint, parseCosignatures } from '#core/log/add-checkpoint.ts'
import { parseCheckpoint } from '#core/log/note/checkpoint.ts'
import { formatVerifierKey, logKeyOfJwk, type LogKey } from '#core/log/note/key.ts'
import { parseNote, withSignatures } from '#core/log/note/note.ts'
import { openCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { tileReader } from '#core/log/tile/read-tile.ts'
import { consistencyFromTiles } from '#core/log/tile/read.ts'
import { select } from '#core/ports/needs.ts'
import { witnessKeys } from '#core/server/witness/cosign.ts'
import { logIdOf } from '#core/server/witness/log-row.ts'
import { addLog } from '#core/server/witness/logs.ts'
import { WITNESS_NEEDS } from '#core/server/witness/needs.ts'
import { witnessConformance } from '#tests/core/server/witness/conformance.ts'
import { testLog } from '#tests/core/server/witness/test-log.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const NAME = witnessNameOf(ORIGIN)
const PREFIX = `${ORIGIN}${WITNESS_PREFIX}`
const portsOf = ({ platform }: TestDeployment) => select(platform, WITNESS_NEEDS)

witnessConformance('the witness of a home', async () => {
  const world = await testDeployment(['hospital-a'])
  const ports = await portsOf(world)
  const [log, fresh] = [await testLog(1), await testLog(2)]
  for (const { origin, keys } of [log, fresh]) await addLog(ports, origin, keys)
  const keys = witnessKeys(ports, NAME)
  return { fetch: world.fetch, submission: PREFIX, monitoring: PREFIX, log, fresh, keys }
})

describe('the witness over HTTP', () => {
  let world: TestDeployment
  const post = (body: string, headers: Record<string, string> = {}) =>
    world.fetch(new Request(`${PREFIX}/add-checkpoint`, { method: 'POST', body, headers }))
  beforeAll(async () => {
    world = await testDeployment(['hospital-a'])
    const { origin, keys } = await testLog(1)
    await addLog(await portsOf(world), origin, keys)
  })

  it('takes any content type, answers in plain text, and is never cached', async () => {
    const log = await testLog(1)
    for (const type of ['application/json', 'text/plain', 'nonsense']) {
      const answer = await post(await log.request(9, 9), { 'content-type': type })
      expect([answer.status, await answer.text(), answer.headers.get('content-type')]).toEqual([
        409,
        '0\n',
        'text/x.tlog.size',
      ])
      expect(answer.headers.get('cache-control')).toBe('no-store')
    }
    const malformed = await post('nonsense')
    expect([malformed.status, malformed.headers.get('content-type'), await malformed.text()]).toEqual([
      400,
      'text/plain; charset=utf-8',
      'the request is not well-formed\n',
    ])
  })

  it('refuses a body above its limit before it reads it, and a content encoding', async () => {
    const large = await post('x'.repeat(16 * 1024 + 1))
    expect([large.status, await large.json()]).toMatchObject([413, { code: 'TOO_LARGE' }])
    expect((await post('x', { 'content-encoding': 'gzip' })).status).toBe(415)
    expect((await world.fetch(new Request(`${PREFIX}/add-checkpoint`))).status).toBe(405)
  })

  it('answers 503 while its store or a key fails, and cosigns once they are back', async () => {
    let faults = null as ReturnType<typeof withFaults> | null
    const failing = await testDeployment(['hospital-a'], {
      platform: (base) => (faults = withFaults(base)).platform,
    })
    const log = await testLog(1)
    await addLog(await portsOf(failing), log.origin, log.keys)
    const body = await log.request(0, 5)
    const ask = () => failing.fetch(new Request(`${PREFIX}/add-checkpoint`, { method: 'POST', body }))
    for (const [name, code] of [
      ['table.witness.get', 'STORE_UNAVAILABLE'],
      ['key.witness-quantum.sign', 'KEY_UNAVAILABLE'],
      ['table.witness.swap', 'STORE_UNAVAILABLE'],
    ]) {
      faults?.plan((_, call) => (call === name ? 'not-applied' : null))
      const answer = await ask()
      expect([answer.status, await answer.json()]).toMatchObject([503, { code, retryable: true }])
    }
    faults?.plan(() => null)
    expect((await ask()).status).toBe(200)
  })

  it('has no checkpoint of a log before it cosigned one, and then the newest', async () => {
    const log = await testLog(1)
    const url = `${PREFIX}/${logIdOf(log.origin)}/checkpoint`
    const served = () => world.fetch(new Request(url))
    expect((await served()).status).toBe(404)
    expect((await post(await log.request(0, 3))).status).toBe(200)
    const answer = await served()
    expect([answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
      'text/plain; charset=utf-8',
      'public, max-age=1',
    ])
    expect(parseCheckpoint(parseNote(await answer.text()).text).size).toBe(3)
    expect((await world.fetch(new Request(`${PREFIX}/${'A'.repeat(64)}/checkpoint`))).status).toBe(400)
  })
})

describe('a log of a sequencer and its witness', () => {
  it('grow together, with proofs from the tiles that the log serves', async () => {
    const world = await testDeployment(['hospital-a'])
    const connection = world.connect('hospital-a')
    const { record } = await createRecord(connection, HOME, ['general'])
    const keys = await logKeys(world)
    await addLog(await portsOf(world), logOriginOf(ORIGIN), keys.map(formatVerifierKey))
    const cosigners = witnessKeys(await portsOf(world), NAME)
    const proofs: number[] = []
    let old = 0
    for (const blocks of [1, 3, 1, 6]) {
      for (let i = 0; i < blocks; i++)
        await connection.append(record, [
          { header: utf8('{}'), content: utf8(`${i}`), compartment: 'general' },
        ])
      await world.tendLog()
      const note = await read(world, '/log/checkpoint')
      const { size } = parseCheckpoint(parseNote(note).text)
      const tiles = tileReader((path) => readBytes(world, `/log/${path}`), size)
      const hashes = old === 0 ? [] : await consistencyFromTiles(old, size, tiles)
      const body = formatAddCheckpoint({ oldSize: old, hashes, note })
      const answer = await world.fetch(new Request(`${PREFIX}/add-checkpoint`, { method: 'POST', body }))
      expect(answer.status).toBe(200)
      const cosigned = withSignatures(parseNote(note), parseCosignatures(await answer.text()))
      const opened = await openCheckpoint(cosigned, { logs: keys, cosigners }, createVerifiers())
      expect([opened.signedBy.length, opened.cosignatures.length]).toEqual([2, 2])
      proofs.push(hashes.length)
      old = size
    }
    expect(proofs[0]).toBe(0)
    expect(Math.min(...proofs.slice(1))).toBeGreaterThan(0)
    const served = await read(world, `${WITNESS_PREFIX}/${logIdOf(logOriginOf(ORIGIN))}/checkpoint`)
    expect(parseCheckpoint(parseNote(served).text).size).toBe(old)
  })
})

async function logKeys({ platform }: TestDeployment): Promise<LogKey[]> {
  const origin = logOriginOf(ORIGIN)
  return [
    logKeyOfJwk(origin, 'Ed25519', (await platform.signer('log')).publicKey),
    logKeyOfJwk(origin, 'cosignature-ML-DSA-44', (await platform.signer('log-quantum')).publicKey),
  ]
}

async function readBytes({ fetch }: TestDeployment, path: string): Promise<Uint8Array | null> {
  const answer = await fetch(new Request(`${ORIGIN}${path}`))
  return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null
}

async function read(world: TestDeployment, path: string): Promise<string> {
  return new TextDecoder().decode((await readBytes(world, path)) ?? new Uint8Array(0))
}
