// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { failAt, withFaults } from '#adapters/around/faults.ts'
import { askBridge, type Asking } from '#cli/cloud/bridge/ask.ts'
import { rowsBehind } from '#cli/cloud/bridge/rows-behind.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { WriteTable } from '#core/ports/table.ts'
import { openBridging } from '#functions/bridge/alone.ts'
import type { RoleApp } from '#functions/host/app.ts'
import { tableContract } from '#tests/contract/table-contract.ts'
import { instanceRecords } from '#tests/deployment.ts'
import { generateSoftwareSigner } from '#core/crypto/signature.ts'
import { hostedBridge } from './hosted-bridge.ts'

const ORIGIN = 'https://bridge.test'
/** A partition that is shared, for any name. */
const shared = (...names: readonly string[]) =>
  `entry/${createHash('sha256').update(names.join('/')).digest('base64url')}`

type At = Awaited<ReturnType<typeof hostedBridge>>
/** How the institution's own computer asks an app; `asked` counts its requests. */
const asking = (at: At, app: RoleApp, asked = { times: 0 }): Asking => ({
  fetch: async (request) => {
    asked.times++
    return app.request(request)
  },
  origin: ORIGIN,
  signer: at.world.institution('hospital-a').instance,
  now: () => at.world.clock.now,
})

tableContract({
  name: 'the table of a bridge, behind its routes',
  skips: { reopen: 'what it lies in is kept by others' },
  open: async () => {
    const at = await hostedBridge()
    const rows = rowsBehind(asking(at, await at.bridging()))
    const under = (table: string): WriteTable => ({
      get: (partition, key) => rows.get(shared(table, partition), key),
      range: (partition, range) => rows.range(shared(table, partition), range),
      insert: (partition, key, value) => rows.insert(shared(table, partition), key, value),
      swap: (partition, key, expected, next) => rows.swap(shared(table, partition), key, expected, next),
    })
    const platform = { table: under, close: async () => {} } as unknown as Platform
    return { platform, reopen: async () => platform }
  },
})

describe('the rows of a bridge', () => {
  it('are asked for together where they are begun together, and each answer is its own', async () => {
    const at = await hostedBridge()
    const asked = { times: 0 }
    const rows = rowsBehind(asking(at, await at.bridging(), asked))
    const names = Array.from({ length: 250 }, (_, i) => `k${String(i).padStart(3, '0')}`)
    const outcomes = await Promise.all(names.map((name) => rows.insert(shared('p'), name, utf8(name))))
    expect([new Set(outcomes), asked.times]).toEqual([new Set(['inserted']), 3])
    const found = await Promise.all(names.map((name) => rows.get(shared('p'), name)))
    expect(found.map((row) => row && new TextDecoder().decode(row.value))).toEqual(names)
    expect(asked.times).toBe(6)
    const large = new Uint8Array(300_000).fill(1)
    const put = await Promise.all(['a', 'b', 'c', 'd'].map((name) => rows.insert(shared('q'), name, large)))
    expect([new Set(put), asked.times]).toEqual([new Set(['inserted']), 8])
  })

  it('are those that commands share with it: no client, no assertion, no evidence and no head', async () => {
    const at = await hostedBridge()
    const rows = rowsBehind(asking(at, await at.bridging()))
    for (const partition of [
      'client',
      'used-assertion',
      'revoked-token',
      'seen',
      'evidence',
      'entry/x',
      `entry/${'a'.repeat(44)}`,
      'patients',
    ]) {
      await expect(rows.get(partition, 'k')).rejects.toMatchObject({ code: 'REQUEST_MALFORMED' })
      await expect(rows.range(partition)).rejects.toMatchObject({ code: 'REQUEST_MALFORMED' })
      await expect(rows.swap(partition, 'k', null, utf8('x'))).rejects.toMatchObject({
        code: 'REQUEST_MALFORMED',
      })
    }
    const used = (await at.platform.table('bridge').range('used-assertion')).length
    expect(used).toBe(24)
    expect(await rows.get('patient', 'k')).toBeNull()
  })

  it('are nobody else’s, whoever signs', async () => {
    const at = await hostedBridge(['hospital-a', 'hospital-b'])
    const { world } = at
    const app = await at.bridging()
    const device = await generateSoftwareSigner('ES256', world.random)
    const { instance, key } = instanceRecords('hospital-a-9', world.institution('hospital-a').id, device, [
      'identify',
    ])
    await world.change('hospital-a', [{ act: 'enrol', instance, key }])
    const strangers = [
      await generateSoftwareSigner('ES256', world.random),
      world.institution('hospital-b').instance,
      world.institution('hospital-a').root,
      device,
    ]
    for (const signer of strangers)
      await expect(rowsBehind({ ...asking(at, app), signer }).get('patient', 'k')).rejects.toMatchObject({
        code: 'UNAUTHORIZED',
      })
    const unsigned = await app.request('/rows', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    expect(unsigned.status).toBe(401)
    const got = await app.request('/rows')
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST'])
    // The same request again.
    const seen: Request[] = []
    const own = asking(at, app)
    const kept: Asking = {
      ...own,
      fetch: (request) => {
        seen.push(request.clone())
        return own.fetch(request)
      },
    }
    await rowsBehind(kept).insert('patient', 'k', utf8('x'))
    for (const request of seen) expect((await app.request(request)).status).toBe(401)
  })

  it('are asked for only as the format has it', async () => {
    const at = await hostedBridge()
    const own = asking(at, await at.bridging())
    const get = { act: 'get', partition: 'patient', key: 'k' }
    const range = { act: 'range', partition: 'patient', range: {} }
    for (const body of [
      {},
      { acts: [] },
      { acts: [get], more: 1 },
      { acts: [{ ...get, more: 1 }] },
      { acts: [{ ...get, act: 'drop' }] },
      { acts: [{ ...get, key: '' }] },
      { acts: [range, range] },
      { acts: [range, get] },
      { acts: [{ ...range, range: { limit: 1001 } }] },
      { acts: [{ ...get, act: 'insert', value: '+' }] },
      { acts: [{ ...get, act: 'swap', expected: null }] },
      { acts: Array.from({ length: 101 }, () => get) },
    ])
      await expect(
        askBridge(own, { method: 'POST', path: '/rows', body, maxAnswerBytes: 1024 }),
      ).rejects.toMatchObject({ code: 'REQUEST_MALFORMED' })
    const large = { acts: [{ ...get, act: 'insert', value: 'A'.repeat(1024 * 1024) }] }
    await expect(
      askBridge(own, { method: 'POST', path: '/rows', body: large, maxAnswerBytes: 1024 }),
    ).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })

  it.each([
    ['<html>'],
    ['{}'],
    ['{"results":[]}'],
    ['{"results":["inserted","exists"]}'],
    ['{"results":[{"key":"k","value":"+","version":"1"}]}'],
  ])('are not taken from an answer such as %s', async (text) => {
    const at = await hostedBridge()
    const app = await at.bridging()
    const fetch = async () => new Response(text)
    await expect(rowsBehind({ ...asking(at, app), fetch }).get('patient', 'k')).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
    })
  })

  it.each(['not-applied', 'applied-unknown'] as const)(
    'are as they were or as they were to be whichever call fails, and can be asked for again (%s)',
    async (fault) => {
      const at = await hostedBridge()
      const faults = withFaults(at.platform)
      const rows = rowsBehind(asking(at, await openBridging(at.hosted(faults.platform))))
      const sound = at.platform.table('bridge')
      let k = 0
      for (let isDone = false; !isDone; k++) {
        faults.plan(failAt(k, fault))
        const [first, second] = await Promise.allSettled([
          rows.insert('patient', 'one', utf8('1')),
          rows.insert('patient', 'two', utf8('2')),
        ])
        isDone = first.status === 'fulfilled' && second.status === 'fulfilled'
        for (const [key, value] of [
          ['one', '1'],
          ['two', '2'],
        ] as const)
          expect([utf8(value), undefined]).toContainEqual((await sound.get('patient', key))?.value)
      }
      faults.plan(() => null)
      expect(k).toBeGreaterThan(2)
      expect((await rows.range('patient')).map(({ key }) => key)).toEqual(['one', 'two'])
    },
  )
})
