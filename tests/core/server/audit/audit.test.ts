// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { countCalls } from '#adapters/around/counts.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { authorize } from '#core/api/request.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { select } from '#core/ports/needs.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { heightKey } from '#core/server/store/rows.ts'
import { instanceRecords, makeSigner, ORIGIN, type TestDeployment } from '#tests/deployment.ts'
import { attempts, auditNow, entry, type Attempts } from '../attempts.ts'
import { forge, put } from './audited.ts'

/** A registry of four blocks, of which the record's newest block names the last. */
async function withRegistry(): Promise<Attempts> {
  const at = await attempts()
  for (const name of ['x', 'y', 'z']) {
    const { id } = at.world.institution('hospital-b')
    const { instance, key } = instanceRecords(`hospital-b-${name}`, id, await makeSigner(at.world.random), [])
    await at.world.change('hospital-b', [{ act: 'enrol', instance, key }])
  }
  await at.a.replica(at.record)
  await at.a.append(at.record, [entry('two')])
  return at
}

/** The audit of a process that starts only now: it remembers nothing of the registry. */
async function auditAnew(world: TestDeployment) {
  const verifiers = createVerifiers()
  const registry = createRegistrySource(world.platform.table('registry'), world.registryId, verifiers)
  const ports = await select(world.platform, AUDITOR_NEEDS)
  return auditChains(ports, { ...world.home, registry, verifiers }, listChains(ports))
}

/** Runs a case that damages the registry, and mends it. */
async function mending({ world }: Attempts, run: () => Promise<void>): Promise<void> {
  const table = world.platform.table('registry')
  const before = await table.range('blocks')
  try {
    await run()
  } finally {
    for (const { key, value } of before) {
      const now = await table.get('blocks', key)
      await table.swap('blocks', key, now?.version ?? null, value)
    }
  }
}

describe('the audit of the registry', () => {
  let at: Attempts
  beforeAll(async () => {
    at = await withRegistry()
  })

  const changes: readonly [string, number, (text: string) => string | Uint8Array | null, object][] = [
    ['another signature', 2, forge, { height: 2, status: 'tampered', rule: 'signature' }],
    ['no text', 2, () => new Uint8Array([0xff]), { height: 2, status: 'tampered', rule: 'malformed' }],
    ['a genesis with another signature', 0, forge, { height: 0, status: 'tampered', rule: 'signature' }],
    ['a lost block', 1, () => null, { height: 1, status: 'missing', rule: 'height' }],
    ['a lost newest block', 3, () => null, { height: 3, status: 'missing', rule: 'height' }],
  ]

  it.each(changes)(
    'finds %s in the stored rows, while the process goes on with what it knows',
    async (_, height, change, expected) => {
      await mending(at, async () => {
        await put(at.world, 'registry', 'blocks', heightKey(height), change)
        const report = await auditNow(at.world)
        expect(report.findings).toEqual([
          { chain: at.world.registryId, detail: expect.any(String), ...expected },
        ])
        expect(report.flags).toEqual([])
        expect(report.blocks).toBe(6)
      })
    },
  )

  it.each(changes)(
    'finds %s after a new start too, and accuses no chain of it',
    async (_, height, change, expected) => {
      await mending(at, async () => {
        await put(at.world, 'registry', 'blocks', heightKey(height), change)
        const report = await auditAnew(at.world)
        expect(report.findings).toEqual([
          { chain: at.world.registryId, detail: expect.any(String), ...expected },
        ])
        expect(report.flags).toContainEqual({
          chain: at.record,
          height: height === 0 ? 0 : 3,
          flag: 'not-verified',
          detail: 'this block and those after it',
          since: null,
        })
      })
    },
  )

  it("finds a block in another's place", async () => {
    await mending(at, async () => {
      const row = await at.world.platform.table('registry').get('blocks', heightKey(3))
      await put(at.world, 'registry', 'blocks', heightKey(2), () => row?.value ?? '')
      expect((await auditNow(at.world)).findings).toMatchObject([
        { height: 2, status: 'tampered', rule: 'height' },
      ])
    })
  })

  it('says that it is gone when nothing of it is left', async () => {
    await mending(at, async () => {
      for (let h = 0; h < 4; h++) await put(at.world, 'registry', 'blocks', heightKey(h), () => null)
      expect((await auditAnew(at.world)).findings).toMatchObject([
        { height: 0, status: 'missing', rule: 'height' },
      ])
    })
  })
})

describe('an audit of many chains', () => {
  const ids = async (chains: AsyncIterable<ChainId>) => {
    const list: ChainId[] = []
    for await (const chain of chains) list.push(chain)
    return list
  }

  it('goes on from any chain where another left off, and misses none', async () => {
    const { world } = await attempts()
    const chains = world.platform.table('chains')
    for (let i = 0; i < 200; i++) {
      const id = Buffer.from(world.random(32)).toString('base64url')
      await chains.insert(id.slice(0, 1), id, utf8(''))
    }
    const ports = await select(world.platform, AUDITOR_NEEDS)
    const all = await ids(listChains(ports))
    expect(new Set(all).size).toBe(202)
    for (const at of [0, 1, 57, 201]) expect(await ids(listChains(ports, all[at]))).toEqual(all.slice(at))
    const walked: number[] = []
    let next: ChainId | null = null
    do {
      const report = await auditChains(ports, world.home, listChains(ports, next), () => {}, 90)
      walked.push(report.chains)
      next = report.next
    } while (next !== null)
    expect(walked).toEqual([90, 90, 22])
  })

  it('says once of a chain that it is not listed, though its record says so too', async () => {
    const at = await attempts()
    const { access } = (await at.a.replica(at.record)).link.state
    if (access === null) throw new Error('a record has an access chain')
    await put(at.world, 'chains', access.slice(0, 1), access, () => null)
    const ports = await select(at.world.platform, AUDITOR_NEEDS)
    const { findings } = await auditChains(ports, at.world.home, [at.record, access])
    expect(findings).toMatchObject([{ chain: access, height: 0, status: 'missing', rule: 'chain-row' }])
  })

  it('reads each block once, says how far it is, and asks nothing twice of a whole chain', async () => {
    const at = await attempts()
    for (let i = 0; i < 12; i++) await at.a.append(at.record, [entry(String(i))])
    const { platform, counts } = countCalls(at.world.platform)
    const ports = await select(platform, AUDITOR_NEEDS)
    const seen: [number, ChainId][] = []
    const report = await auditChains(ports, at.world.home, [at.record], (blocks, chain) =>
      seen.push([blocks, chain]),
    )
    expect(seen).toEqual([[15, at.record]])
    expect(report).toMatchObject({ chains: 1, blocks: 15, entries: 13, erased: 0, findings: [], next: null })
    // Two pages of blocks, and the head and epoch of the access chain.
    expect(counts()['table.blocks.range']).toBe(3)
    expect(counts()['objects.entries.fetch']).toBe(13)
    expect(counts()['table.dirty.range']).toBeUndefined()
  })
})

describe('the audit over HTTP', () => {
  it('is for instances with capability control, goes in steps, and names flags', async () => {
    const { world } = await attempts()
    const get = async (path: string) => {
      const url = new URL(path, ORIGIN)
      const { instance: signer } = world.institution('hospital-a')
      const ports = { now: () => world.clock.now, random: world.random, signer }
      const authorization = await authorize({ method: 'GET', url, body: new Uint8Array(0) }, ports)
      const response = await world.fetch(new Request(url, { headers: { authorization } }))
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    }
    const all = await get('/v1/audits/all')
    expect(all).toMatchObject({ status: 200, body: { chains: 2, findings: [], next: null, unfinished: [] } })
    const chains: string[] = []
    for await (const chain of listChains(await select(world.platform, AUDITOR_NEEDS))) chains.push(chain)
    const second = await get(`/v1/audits/all?from=${String(chains[1])}`)
    expect(second).toMatchObject({ status: 200, body: { chains: 1, next: null } })
    expect(await get('/v1/audits/all?from=x')).toMatchObject({
      status: 400,
      body: { code: 'REQUEST_MALFORMED' },
    })
    expect(await get('/v1/audits/x')).toMatchObject({ status: 400 })
  })
})
