// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { utf8 } from '#core/bytes/encoding.ts'
import type { Digest } from '#core/bytes/ids.ts'
import { parseWith } from '#core/bytes/schema.ts'
import { blocksAnswer, recordAnswer, type RecordAnswer } from '#core/api/answers.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { createRegistryHistory, type RegistryHistory } from '#core/registry/history.ts'
import type { HeldRegistry } from '#core/server/store/registry.ts'
import { recordKey } from '#core/registry/records.ts'
import { recordsIn, verifyRecordProof } from '#core/registry/state.ts'
import { createRecordProver } from '#core/server/read/record-proof.ts'
import { REGISTRAR_NEEDS } from '#core/server/registrar.ts'
import { select } from '#core/ports/needs.ts'
import {
  instanceRecords,
  makeSigner,
  ORIGIN,
  testDeployment,
  type TestDeployment,
} from '#tests/deployment.ts'

let world: TestDeployment
/** The registry as whoever reads it makes it out, with nothing but the pinned id and the public blocks. */
let registry: RegistryHistory
const states: Digest[] = []
const keys: string[] = []

async function get(path: string): Promise<Response> {
  return world.fetch(new Request(new URL(path, ORIGIN)))
}

async function prove(height: number, key: string): Promise<RecordAnswer> {
  const response = await get(`/v1/registry/${height}/records/${key}`)
  expect(response.status).toBe(200)
  return parseWith(recordAnswer, await response.json(), 'UPSTREAM_FAILED', 'answer')
}

beforeAll(async () => {
  world = await testDeployment(['hospital-a', 'hospital-b'])
  for (let i = 3; i < 8; i++) {
    const id = world.institution('hospital-a').id
    const { instance, key } = instanceRecords(`hospital-a-${i}`, id, await makeSigner(world.random), [])
    await world.change('hospital-a', [{ act: 'enrol', instance, key }])
    if (i % 2 === 0)
      await world.change('hospital-a', [
        { act: 'revoke', kid: key.kid, reason: 'retired', suspectFrom: null },
      ])
  }
  registry = createRegistryHistory(world.registryId, createVerifiers())
  const response = await get('/v1/registry/blocks')
  for (const compact of parseWith(blocksAnswer, await response.json(), 'UPSTREAM_FAILED', 'answer').items)
    states.push((await registry.add(compact)).block.state)
  const link = registry.link()
  if (!link) throw new Error('the registry is empty')
  for (const record of recordsIn(link.state)) keys.push(recordKey(record))
})

describe('the proof of a record at a height', () => {
  it('shows, with the verified block alone, what the registry said then: the record, or that there was none', async () => {
    const height = fc.nat(states.length - 1)
    const key = fc.oneof(
      fc.constantFrom(...keys),
      fc.constantFrom('institution/none', 'rules', `key/${'x'.repeat(43)}`),
    )
    await fc.assert(
      fc.asyncProperty(height, key, async (h, k) => {
        const { head, block, proof } = await prove(h, k)
        const view = registry.viewAt({ height: h, id: head.id as Digest })
        const stated = states[h]
        if (!view || !stated) throw new Error('the head is not one of the registry')
        expect(verifyRecordProof(proof, k, stated)).toEqual(view.get(k))
        expect(JSON.parse(Buffer.from(block.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
          height: h,
          state: stated,
        })
      }),
      { numRuns: 60 },
    )
  })

  it('is made without going through the records, however many there are', async () => {
    const ports = await select(world.platform, REGISTRAR_NEEDS)
    const refuse = (): never => {
      throw new Error('a record was looked at')
    }
    const refresh = async (): Promise<HeldRegistry> => {
      const history = await world.home.registry.refresh()
      const viewAt: RegistryHistory['viewAt'] = (head) => {
        const view = history.viewAt(head)
        return view && { ...view, get: refuse }
      }
      return { ...history, viewAt, link: refuse, newest: refuse }
    }
    const prover = createRecordProver(ports, { ...world.home, registry: { ...world.home.registry, refresh } })
    for (const [height, state] of states.entries()) {
      const { head, proof } = await prover(height, 'institution/hospital-a')
      const then = registry.viewAt({ height, id: head.id as Digest })?.get('institution/hospital-a')
      expect(verifyRecordProof(proof, 'institution/hospital-a', state)).toEqual(then)
    }
  })

  it('may be kept for ever, where what is newest may not', async () => {
    const caching = async (path: string) => (await get(path)).headers.get('cache-control')
    expect(await caching('/v1/registry/0/records/rules')).toBe('public, max-age=31536000, immutable')
    expect(await caching('/v1/registry/blocks?from=0&limit=2')).toBe('public, max-age=31536000, immutable')
    expect(await caching('/v1/registry/blocks?from=1')).toBe('no-cache')
    expect(await caching('/v1/registry/records/rules')).toBe('no-cache')
  })

  it('is not there yet for a height that is not, and that is not to be remembered', async () => {
    const response = await get(`/v1/registry/${states.length}/records/rules`)
    expect({ status: response.status, cache: response.headers.get('cache-control') }).toEqual({
      status: 404,
      cache: 'no-store',
    })
    for (const height of ['01', '99999999999999999'])
      expect((await get(`/v1/registry/${height}/records/rules`)).status).toBe(400)
  })

  it('is not made over a block that was changed or lost', async () => {
    const ports = await select(world.platform, REGISTRAR_NEEDS)
    const table = world.platform.table('registry')
    const row = await table.get('blocks', '0000000000000001')
    const another = await table.get('blocks', '0000000000000002')
    for (const value of [another?.value ?? null, utf8('x'), new Uint8Array([0xff]), null]) {
      const now = await table.get('blocks', '0000000000000001')
      await table.swap('blocks', '0000000000000001', now?.version ?? null, value)
      await expect(createRecordProver(ports, world.home)(1, 'rules')).rejects.toMatchObject({
        code: 'STORE_CORRUPT',
      })
    }
    await table.swap('blocks', '0000000000000001', null, row?.value ?? null)
    await expect(createRecordProver(ports, world.home)(1, 'rules')).resolves.toBeDefined()
  })
})

describe('pages of registry blocks', () => {
  it('go on where a whole page ended, and are never asked to be larger than one', async () => {
    const table = world.platform.table('registry')
    for (let h = states.length; h < 600; h++)
      await table.insert('blocks', String(h).padStart(16, '0'), utf8('x'))
    const page = (await (await get('/v1/registry/blocks?limit=500')).json()) as {
      items: string[]
      next: number
    }
    expect([page.items.length, page.next]).toEqual([500, 500])
    expect((await get('/v1/registry/blocks?limit=1000')).status).toBe(400)
  })
})
