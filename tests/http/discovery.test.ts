// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { memoryTable } from '#adapters/memory/table.ts'
import { withFaults } from '#adapters/around/faults.ts'
import type { AuditAnswer, LogAuditAnswer } from '#core/api/answers.ts'
import { LINKS, type HomeAnswer, type JwksAnswer } from '#core/api/discovery.ts'
import { openHead } from '#core/api/head.ts'
import { MAX_AUDIT_MS, MAX_PAGE_BLOCKS } from '#core/api/limits.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { parseJws } from '#core/block/jws.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { checkPublicJwk, thumbprint } from '#core/crypto/jwk.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { parseVerifierKey } from '#core/log/note/key.ts'
import { openCheckpoint } from '#core/log/note/open-checkpoint.ts'
import type { Platform } from '#core/ports/needs.ts'
import { readRegistryBlocks } from '#core/server/registrar.ts'
import { heightKey } from '#core/server/store/rows.ts'
import { homeApp } from '#functions/all.ts'
import { auditChains, auditLog } from '#functions/auditor/operations.ts'
import { readCheckpoint, readHome, readKeys, readLive, readReady } from '#functions/discovery/operations.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { readBlocks, readHead } from '#functions/reader/operations.ts'
import {
  instanceRecords,
  makeSigner,
  ORIGIN,
  testDeployment,
  type TestDeployment,
} from '#tests/deployment.ts'
import { ask, requestFor, type Asking } from './ask.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const json = async <T>(answer: Response): Promise<T> => (await answer.json()) as T

describe('what a home says of itself', () => {
  it('is ready while its store answers, and 503 when it does not, but live', async () => {
    let faults = null as ReturnType<typeof withFaults> | null
    const world = await testDeployment(['hospital-a'], {
      platform: (base) => (faults = withFaults(base)).platform,
    })
    faults?.plan(() => null)
    expect((await ask(world, readReady)).status).toBe(200)
    // The last two read the registry once, to its end; after that one look at what is new does.
    expect(faults?.calls()).toEqual(['table.registry.get', 'table.registry.range', 'table.registry.range'])
    faults?.plan(() => 'not-applied')
    const answer = await ask(world, readReady)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await json(answer)).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true })
    expect((await ask(world, readLive)).status).toBe(200)
  })

  it('says under which keys its log signs and its witness cosigns, and they are those in the checkpoint', async () => {
    const world = await testDeployment(['hospital-a'])
    const { log, witness } = await json<HomeAnswer>(await ask(world, readHome))
    const host = ORIGIN.replace(/^https?:\/\//, '')
    expect([log.name, log.url, witness.name, witness.url]).toEqual([
      `${host}/log`,
      `${ORIGIN}/log`,
      `${host}/witness`,
      `${ORIGIN}/witness`,
    ])
    await world.tendLog()
    const note = await (await ask(world, readCheckpoint)).text()
    const logs = log.keys.map(parseVerifierKey)
    const opened = await openCheckpoint(note, { logs, cosigners: [] }, createVerifiers())
    expect(opened.signedBy.map(({ type }) => type)).toEqual(['Ed25519', 'cosignature-ML-DSA-44'])
    expect(witness.keys.map((key) => parseVerifierKey(key).type)).toEqual([
      'cosignature-Ed25519',
      'cosignature-ML-DSA-44',
    ])
  })

  it('is not ready while its registry is not in the store', async () => {
    const { platform, home, clock, random } = await testDeployment(['hospital-a'])
    const emptied: Platform = {
      ...platform,
      table: (name) => (name === 'registry' ? memoryTable() : platform.table(name)),
    }
    const { app } = await homeApp(emptied, home, { now: () => clock.now, random, log: silentLog })
    const answer = await app.fetch(new Request(new URL(LINKS.ready, ORIGIN)))
    expect(await json(answer)).toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  it('gives the keys under which its head statements verify, and no key that was revoked', async () => {
    const world = await testDeployment(['hospital-a'])
    const { record } = await createRecord(world.connect('hospital-a'), HOME, ['general'])
    const { head } = await json<{ head: string }>(await ask(world, readHead, { path: { chain: record } }))
    const answer = await ask(world, readKeys)
    expect(answer.headers.get('content-type')).toBe('application/jwk-set+json')
    const { keys } = await json<JwksAnswer>(answer)
    const { kid } = parseJws(head, 'ampere-head+jws')
    const found = keys.find((key) => key.kid === kid)
    const { kid: _, use, alg, ...jwk } = found ?? ({} as JwksAnswer['keys'][0])
    expect({ use, alg, kid: thumbprint(checkPublicJwk(jwk)) }).toEqual({ use: 'sig', alg: 'Ed25519', kid })
    expect(await openHead(head, checkPublicJwk(jwk), createVerifiers())).toMatchObject({ chain: record })
    await world.change('hospital-a', [{ act: 'revoke', kid, reason: 'retired', suspectFrom: null }])
    expect(await json(await ask(world, readKeys))).toEqual({ keys: [] })
  })

  it('says that its own registry is damaged, not that the caller is wrong', async () => {
    const world = await testDeployment(['hospital-a'])
    const { record } = await createRecord(world.connect('hospital-a'), HOME, ['general'])
    await world.platform.table('registry').insert('blocks', heightKey(1), utf8('a.b.c'))
    const answer = await ask(world, readHead, { path: { chain: record } })
    expect(await json(answer)).toMatchObject({ code: 'STORE_CORRUPT', status: 500 })
  })

  it('gives whole pages, whatever limit its caller names', async () => {
    const registry = memoryTable()
    for (let height = 0; height <= MAX_PAGE_BLOCKS; height++)
      await registry.insert('blocks', heightKey(height), utf8('x'))
    const page = await readRegistryBlocks({ tables: { registry } }, 0, 10 * MAX_PAGE_BLOCKS)
    expect([page.items.length, page.next]).toEqual([MAX_PAGE_BLOCKS, MAX_PAGE_BLOCKS])
    const world = await testDeployment(['hospital-a'])
    const { record } = await createRecord(world.connect('hospital-a'), HOME, ['general'])
    const blocks = await ask(world, readBlocks, { path: { chain: record }, query: { limit: 1 } })
    expect(await json(blocks)).toMatchObject({ items: [expect.any(String)], next: 1 })
  })
})

describe('an audit over HTTP', () => {
  it('stops when its time is over and says where to go on, until all chains are audited', async () => {
    const { world, chains } = await homeOf(4)
    // The clock is asked a few times per chain, so that about two chains fit into one request.
    const audit = await timed(world, MAX_AUDIT_MS / 5)
    const seen: AuditAnswer[] = []
    for (let from: string | null | undefined; from !== null && seen.length < 20;) {
      const answer: AuditAnswer = await json(
        await audit({ path: { chain: 'all' }, query: from ? { from } : {} }),
      )
      seen.push(answer)
      from = answer.next
    }
    expect(seen.length).toBeGreaterThan(1)
    expect(seen.reduce((sum, answer) => sum + answer.chains, 0)).toBe(chains.length)
    expect(seen.flatMap(({ findings, unfinished }) => [...findings, ...unfinished])).toEqual([])
  })

  it('passes over a chain that alone takes longer, names it, and refuses it when asked for it alone', async () => {
    const { world, chains, calls } = await homeOf(2)
    const audit = await timed(world, MAX_AUDIT_MS + 1)
    const before = calls().length
    const first: AuditAnswer = await json(await audit({ path: { chain: 'all' } }))
    expect(first).toMatchObject({ chains: 0, unfinished: [expect.any(String)] })
    const read = calls().slice(before)
    // One page of the chain that was begun, none of the next: its time is over before it begins.
    expect(read.filter((call) => call === 'table.blocks.range')).toHaveLength(1)
    const second: AuditAnswer = await json(
      await audit({ path: { chain: 'all' }, query: { from: first.next ?? '' } }),
    )
    expect([...first.unfinished, ...second.unfinished]).toHaveLength(2)
    const one = await audit({ path: { chain: chains[0] ?? '' } })
    expect(await json(one)).toMatchObject({
      code: 'UNSUPPORTED',
      detail: expect.stringContaining('maxAuditMs'),
    })
  })

  it('of the log goes on from request to request, and ends with the report of a single one', async () => {
    const { world } = await homeOf(4)
    const whole = await json(await ask(world, auditLog, {}))
    expect(whole).toMatchObject({ from: 0, findings: [], next: null })
    const audit = await timed(world, MAX_AUDIT_MS / 2, auditLog)
    const seen: LogAuditAnswer[] = []
    for (let from: string | null | undefined; from !== null && seen.length < 30;) {
      const answer: LogAuditAnswer = await json(await audit({ query: from ? { from } : {} }))
      seen.push(answer)
      from = answer.next
    }
    expect(seen.length).toBeGreaterThan(2)
    expect(seen.at(-1)).toEqual(whole)
    expect(await json(await audit({ query: { from: 'x' } }))).toMatchObject({ code: 'REQUEST_MALFORMED' })
    const over = await audit({ query: { from: seen[0]?.next ?? '' } })
    expect(await json(over)).toMatchObject({ code: 'NOT_FOUND' })
    const both = await audit({ query: { from: seen[0]?.next ?? '', since: 'last' } })
    expect(await json(both)).toMatchObject({ code: 'REQUEST_MALFORMED' })
  })

  it('is for instances with capability control, and of a chain that is here', async () => {
    const { world } = await homeOf(0)
    const unable = await makeSigner(world.random)
    const enrolled = instanceRecords('hospital-a-9', world.institution('hospital-a').id, unable, ['create'])
    await world.change('hospital-a', [{ act: 'enrol', ...enrolled }])
    const path = { chain: 'A'.repeat(43) }
    expect(await json(await ask(world, auditChains, { path, signer: unable }))).toMatchObject({
      code: 'FORBIDDEN',
    })
    expect(await json(await ask(world, auditLog, { signer: unable }))).toMatchObject({ code: 'FORBIDDEN' })
    expect(await json(await ask(world, auditLog, {}))).toMatchObject({ from: 0, findings: [], unlisted: 0 })
    expect(await json(await ask(world, auditChains, { path }))).toMatchObject({ code: 'NOT_FOUND' })
    const both = { path, query: { from: path.chain } }
    expect(await json(await ask(world, auditChains, both))).toMatchObject({ code: 'REQUEST_MALFORMED' })
  })
})

interface TracedHome {
  readonly world: TestDeployment
  readonly chains: readonly ChainId[]
  readonly calls: () => readonly string[]
}

async function homeOf(records: number): Promise<TracedHome> {
  let trace: () => readonly string[] = () => []
  const platform = (base: Platform) => {
    const traced = withFaults(base)
    trace = traced.calls
    return traced.platform
  }
  const world = await testDeployment(['hospital-a'], { platform })
  const a = world.connect('hospital-a')
  const chains: ChainId[] = []
  for (let i = 0; i < records; i++) {
    const { record, access } = await createRecord(a, HOME, ['general'])
    chains.push(record, access)
  }
  return { world, chains, calls: () => trace() }
}

/** Audits of a home whose clock goes on by `stepMs` whenever it is asked. */
async function timed(
  world: TestDeployment,
  stepMs: number,
  operation: typeof auditChains | typeof auditLog = auditChains,
): Promise<(asking: Asking) => Promise<Response>> {
  let now = 0
  const hosting = { now: () => (now += stepMs), random: world.random, log: silentLog }
  const { app } = await homeApp(world.platform, world.home, hosting)
  return async (asking) => app.fetch(await requestFor(world, operation, asking))
}
