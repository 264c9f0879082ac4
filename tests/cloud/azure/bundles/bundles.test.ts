// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import type { Signer } from '#core/ports/keys.ts'
import { ROLE_NAMES } from '#functions/host/role-names.ts'
import { HOME_ROLES } from '#functions/roles.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'
import { instanceRecords, makeSigner, ORIGIN } from '#tests/deployment.ts'
import { LEASE_MS } from '#core/server/job/advance.ts'
import { readJob } from '#functions/worker/operations.ts'
import { appendAsJob, heightsOf, jobOf, untilOver } from '#tests/core/server/job/jobs.ts'
import { MIB, noise, offered, unsent } from '#tests/core/server/upload/uploads.ts'
import { ask } from '#tests/http/ask.ts'
import { bytesWithoutTelemetry, MAX_TELEMETRY_BYTES } from '../../built.ts'
import { clientIdOf, functionsHome, triggerOf, type FunctionsHome } from './functions-home.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (content: Uint8Array) => ({ header: utf8('{}'), content, compartment: 'general' })
/** Bytes that are no text, and too many for one part of a stream. */
const BINARY = Uint8Array.from({ length: 400_000 }, (_, at) => (at * 7 + (at >> 8)) % 256)
const SCHEDULED = ['sequencer', 'sweeper', 'eraser', 'auditor', 'follower', 'monitor', 'worker', 'mirror']

/**
 * What the host loads at most for each role. What does not allow 1 MB are the clients, minified: that of Blob Storage (505 KiB, of
 * which two classes name all that the service can do) and that of Cosmos DB (302 KiB), each a file that is loaded when it is first
 * used. Roles without objects do without the first.
 */
const MAX_BYTES = 1.4 * 1024 * 1024
const MAX_BYTES_WITHOUT_OBJECTS = 1024 * 1024
const WITHOUT_OBJECTS = ['follower', 'lookup', 'monitor', 'registrar', 'witness']
const MAX_ENTRY_BYTES = 400 * 1024
/** Validation of FHIR is in what a bridge loads at the start. */
const MAX_BRIDGE_ENTRY_BYTES = 800 * 1024
const OF_BRIDGE: readonly string[] = ['bridge', 'checker']

describe('the bundles under a stand-in for the host of Azure Functions', () => {
  const made: { home?: FunctionsHome } = {}
  const home = () => {
    if (!made.home) throw new Error('the home is not there')
    return made.home
  }
  const client = (signer?: Signer) =>
    home().world.connect('hospital-a', {
      fetch: home().fetch,
      policy: home().policy,
      ...(signer && { signer }),
    })
  const get = (path: string) => home().fetch(new Request(new URL(path, ORIGIN)))

  beforeAll(async () => {
    made.home = await functionsHome()
  }, 300_000)
  afterAll(async () => made.home?.close())

  it('are one for each role of a home, one for its mirror, and two for a bridge', () => {
    expect(
      home()
        .bundles.map(({ role }) => role)
        .toSorted(),
    ).toEqual([...ROLE_NAMES, 'mirror', ...OF_BRIDGE].toSorted())
  })

  it('are each below 1.4 MiB, without objects below 1 MiB, telemetry aside, and what is loaded at the start below 400 KiB', () => {
    const sizes = home().bundles.map(
      (bundle) => [bundle.role, bytesWithoutTelemetry(bundle), bundle.bytes] as const,
    )
    expect(
      sizes.filter(
        ([role, without]) =>
          without >= (WITHOUT_OBJECTS.includes(role) ? MAX_BYTES_WITHOUT_OBJECTS : MAX_BYTES),
      ),
    ).toEqual([])
    expect(sizes.filter(([, without, all]) => all - without >= MAX_TELEMETRY_BYTES)).toEqual([])
    expect(
      home()
        .bundles.map(({ role, code }) => [role, code['index.mjs']?.length ?? 0] as const)
        .filter(
          ([role, bytes]) => bytes >= (OF_BRIDGE.includes(role) ? MAX_BRIDGE_ENTRY_BYTES : MAX_ENTRY_BYTES),
        ),
    ).toEqual([])
    // MSAL was half of it.
    expect(
      home().bundles.filter(({ packages }) => packages.some((name) => /msal|identity/.test(name))),
    ).toEqual([])
  })

  it('hold nothing of another provider, of one machine, or of what reads records', () => {
    const ofHome = home().bundles.filter(({ role }) => !OF_BRIDGE.includes(role))
    const foreign = ofHome.flatMap(({ role, packages, files }) => [
      ...packages
        .filter((name) => /^@aws|^@smithy|napi|hono-node|medplum|ajv|fflate/.test(name))
        .map((name) => `${role}: ${name}`),
      ...files
        .filter((file) =>
          /^(adapters\/(?!azure\/|wrapped\/|around\/)|core\/(seal|record|client|bridge|consistency)\/|cli\/|desktop\/|tests\/)/.test(
            file,
          ),
        )
        .map((file) => `${role}: ${file}`),
    ])
    expect(foreign).toEqual([])
    for (const { packages } of home().bundles) expect(packages).toContain('@azure/functions')
  })

  it('import nothing that loads the fetch of Node for its WebSocket', () => {
    const importing = home().bundles.flatMap(({ role, code }) =>
      Object.entries(code).flatMap(([name, text]) =>
        /(?:from|import)\s*\(?["'`](?:node:)?http["'`]/.test(text) ? [`${role}: ${name}`] : [],
      ),
    )
    expect(importing).toEqual([])
  })

  it('hold of the roles only their own', () => {
    // What a keeper answers from copies is described as what a reader answers.
    const described = ['functions/reader/operations.ts', 'functions/reader/hold-operations.ts']
    const foreign = home().bundles.flatMap(({ role, files }) =>
      files
        .filter((file) => file.startsWith('functions/') && !file.startsWith('functions/host/'))
        .filter((file) => file.split('/')[1] !== role && !(role === 'keeper' && described.includes(file)))
        // A checker opens the bridge that it checks, and answers nothing.
        .filter((file) => role !== 'checker' || !file.startsWith('functions/bridge/'))
        .map((file) => `${role}: ${file}`),
    )
    expect(foreign).toEqual([])
  })

  it('register what wakes each role, and one function with every path where it answers', async () => {
    const woken = Object.fromEntries(identitiesOf('home').map(({ name, wokenBy }) => [name, wokenBy]))
    for (const role of [...ROLE_NAMES, 'mirror']) {
      const { functions, streams } = await home().host(role)
      const types = functions.flatMap(({ bindings }) =>
        Object.values(bindings).flatMap(({ type, direction }) => (direction === 'in' ? [type] : [])),
      )
      const answers = !['sequencer', 'sweeper', 'eraser', 'follower', 'monitor', 'mirror'].includes(role)
      expect([role, types]).toEqual([
        role,
        [
          ...(answers ? ['httpTrigger'] : []),
          ...(SCHEDULED.includes(role) ? ['timerTrigger'] : []),
          ...(woken[role] ? ['cosmosDBTrigger'] : []),
        ],
      ])
      expect(streams).toBe(answers)
      for (const { bindings } of functions)
        for (const binding of Object.values(bindings)) {
          if (binding.type === 'httpTrigger')
            expect(binding).toMatchObject({ route: '{*path}', authLevel: 'anonymous' })
          if (binding.type === 'cosmosDBTrigger')
            expect(binding).toMatchObject({
              connection: 'COSMOS',
              databaseName: '%AMPERE_DATABASE%',
              containerName: '%AMPERE_CHANGES%',
              leaseContainerName: 'leases',
              createLeaseContainerIfNotExists: false,
            })
        }
    }
  }, 300_000)

  it('are called each hour where there is nothing to monitor, or to mirror', async () => {
    for (const [role, schedule] of [
      ['monitor', '30 53 * * * *'],
      ['mirror', '15 23 * * * *'],
    ] as const)
      expect(triggerOf(await home().host(role), 'timerTrigger')[1]).toMatchObject({ schedule })
  })

  it('say what the home is, and refuse everything else until the sequencer has looked', async () => {
    const known = await get('/.well-known/ampere')
    expect([known.status, await known.json()]).toMatchObject([200, { deployment: HOME.deployment }])
    const refused = await get('/v1/registry/blocks')
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'STORE_UNAVAILABLE' }])
    await home().timer('sequencer')
    await home().elapse(1000)
    expect((await get('/v1/registry/blocks')).status).toBe(200)
    const absent = await get('/no-such-path')
    expect([absent.status, await absent.json()]).toMatchObject([404, { code: 'NOT_FOUND' }])
    expect(await (await get('/openapi.json')).json()).toMatchObject({
      openapi: expect.stringMatching(/^3\.1\./),
    })
  }, 300_000)

  it('take a record from its first block to its erasure, woken by rows and by schedules', async () => {
    const { record } = await createRecord(client(), HOME, ['general'])
    await client().append(record, [entry(utf8('one'))])
    await client().append(record, [entry(BINARY)])
    expect(await home().changes('sequencer')).toBeGreaterThan(0)
    const { head } = await client().replica(record)
    expect(await client().api.receipt(record, head.block, head.height)).toMatch(/^c2sp\.org\/tlog-proof@v1\n/)
    const newcomer = client()
    const receipts = await readReceipts(newcomer, await newcomer.replica(record))
    expect([new Set(receipts?.statuses), receipts?.problems]).toEqual([new Set(['witnessed']), []])
    const before = await client().read(record)
    expect(before.opened.map(({ content }) => content)).toEqual([utf8('one'), BINARY])

    const { instance, second } = home().world.institution('hospital-a')
    const what = {
      scope: 'entries' as const,
      entries: before.opened.slice(0, 1),
      ground: 'misfiled' as const,
    }
    const request = await requestErasure(client(), record, what, { instances: [instance, second] })
    expect(await home().changes('eraser')).toBe(0)
    await home().elapse(73 * 3_600_000)
    await home().timer('sequencer')
    await settleErasure(client(), record, request.block.height, 'complete')
    const keys = async () =>
      (await home().world.platform.table('wraps').range(record)).map(({ value }) => value)
    const kept = await keys()
    await home().timer('sweeper')
    expect(await keys()).toEqual(kept)
    expect(await home().changes('eraser')).toBeGreaterThan(0)
    expect(await keys()).not.toEqual(kept)
    const after = await client().read(record)
    expect(after.closed.map(({ status }) => status)).toEqual(['erased'])
    expect(after.opened.map(({ content }) => content)).toEqual([BINARY])
    for (const role of SCHEDULED) await home().timer(role)
    const audited = (await home().host('auditor')).said()
    expect(audited).toContain('"event":"log-audited"')
    expect(audited).not.toContain('log-damaged')
  }, 300_000)

  it('append what no request takes by an upload, as a job that another process goes on with', async () => {
    const { record } = await createRecord(client(), HOME, ['general'])
    const world = { ...home().world, fetch: home().fetch }
    const append = await unsent({ world, a: client(), record }, noise(5 * MIB))
    const to = await offered(world, record, append.object)
    expect(new URL(to.url).pathname).toMatch(/^\/devstoreaccount1\/[a-z0-9]+-uploads\/hospital-a\.[\w-]{22}$/)
    const { method, headers } = to
    const put = await fetch(to.url, { method, headers, body: append.object as Uint8Array<ArrayBuffer> })
    expect(put.status).toBe(201)
    const begun = await appendAsJob(world, append, to.upload)
    expect(begun.status).toBe(202)
    await home().host('worker')
    // It has begun, or is about to: wherever it is when it is killed, the job is done once.
    const polled = ask(world, readJob, jobOf(begun)).catch(() => null)
    await home().kill('worker')
    await polled
    await home().elapse(LEASE_MS)
    await home().timer('worker')
    expect(await heightsOf(world, append)).toHaveLength(1)
    expect(await untilOver(world, jobOf(begun))).toMatchObject({ state: 'done' })
    expect((await client().read(record)).opened).toHaveLength(1)
  }, 300_000)

  it('take what an instance signs that was enrolled, until it is revoked', async () => {
    const { world } = home()
    const { id: institution } = world.institution('hospital-a')
    const signer = await makeSigner(world.random, 'ES256')
    const enrolled = instanceRecords('hospital-a-9', institution, signer, ['control', 'create'])
    await world.change('hospital-a', [{ act: 'enrol', ...enrolled }])
    await home().elapse(60_000)
    await home().timer('sequencer')
    const { record } = await createRecord(client(signer), HOME, ['general'])
    await client(signer).append(record, [entry(utf8('one'))])
    const revoked = { act: 'revoke', kid: signer.kid, reason: 'retired', suspectFrom: null } as const
    await world.change('hospital-a', [revoked])
    await home().elapse(60_000)
    await home().timer('sequencer')
    const refused = client(signer).append(record, [entry(utf8('two'))])
    await expect(refused).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    expect((await client().read(record)).opened.map(({ content }) => content)).toEqual([utf8('one')])
  }, 120_000)

  it('get tokens of their own identity alone, for the vault alone', () => {
    const signing = HOME_ROLES.filter(({ needs }) => Object.keys(needs.keys).length > 0)
    const ids = [...home().identity.given].toSorted()
    expect(ids.length).toBeGreaterThan(0)
    const may = signing.map(({ name }) => `${clientIdOf(name)} https://vault.azure.net`)
    expect(ids.filter((id) => !may.includes(id))).toEqual([])
    expect(ids).toContain(`${clientIdOf('writer')} https://vault.azure.net`)
  })

  it('keep what a request is to the bytes: its query, its headers, and a body that is no text', async () => {
    const answer = await home().fetch(
      new Request(new URL('/v1/blocks', ORIGIN), { method: 'POST', body: BINARY }),
    )
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(answer.status).toBe(415)
    const { origin } = await home().host('writer')
    const wrong = await fetch(`${origin}/v1/blocks`, { method: 'PUT', body: BINARY })
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, expect.stringContaining('POST')])
    const query = await get('/v1/registry/blocks?a=%20b')
    expect([query.status, await query.json()]).toMatchObject([400, { code: 'REQUEST_MALFORMED' }])
    const headers = await home().fetch(new Request(new URL('/health/ready', ORIGIN), { method: 'HEAD' }))
    expect([headers.status, await headers.text()]).toEqual([200, ''])
  })
})
