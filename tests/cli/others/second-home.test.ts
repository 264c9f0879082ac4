// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { serve, type ServerType } from '@hono/node-server'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSettings, type Settings } from '#cli/deployment/settings.ts'
import { setUp } from '#cli/deployment/set-up.ts'
import { openHome, type OpenHome } from '#cli/open/home.ts'
import { activeInstanceOf } from '#core/registry/snapshot.ts'
import { recordsIn } from '#core/registry/state.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { freshFolder, testPort } from '../harness.ts'
import { told } from '../told.ts'

const PASSPHRASE = 'of a test that protects nothing'
const [first, second] = [freshFolder(), freshFolder()]
const [FIRST, SECOND] = [83, 84].map((n) => `http://127.0.0.1:${testPort(n)}`) as [string, string]
let settings: Settings
const homes: OpenHome[] = []
const servers: ServerType[] = []

/** What becomes of the answers of the first home from the next block on that is added to its registry. */
let after: 'answers' | 'loses-one' | 'is-gone' = 'answers'
let isGone = false

/** The first home, over a network that may fail once a block is stored. */
async function overNetwork(home: OpenHome, request: Request): Promise<Response> {
  if (isGone) return new Response(null, { status: 502 })
  const response = await home.fetch(request)
  if (request.method !== 'POST' || after === 'answers') return response
  isGone = after === 'is-gone'
  after = 'answers'
  return new Response(null, { status: 502 })
}

async function serveHere(folder: string, of: Settings): Promise<OpenHome> {
  const home = await openHome(folder, of, PASSPHRASE, silentLog)
  homes.push(home)
  const send = folder === first ? (request: Request) => overNetwork(home, request) : home.fetch
  await new Promise<void>((resolve) => {
    const port = Number(new URL(of.origin).port)
    servers.push(serve({ fetch: send, hostname: '127.0.0.1', port }, () => resolve()))
  })
  return home
}
const join2 = (...more: readonly string[]) =>
  told(second, 'home', 'join', FIRST, '--from', first, '--port', new URL(SECOND).port, ...more)

beforeAll(async () => {
  const institutions = ['hospital-a', 'hospital-b'].map((id) => ({ id, name: id }))
  const keep = async (there: string) => {
    mkdirSync(there, { recursive: true })
    writeFileSync(join(there, 'passphrase'), `${PASSPHRASE}\n`, { mode: 0o600 })
    return PASSPHRASE
  }
  const passphrase = { kind: 'generated' } as const
  settings = await setUp(first, { origin: FIRST, institutions, demo: false, passphrase }, keep)
  await serveHere(first, settings)
}, 60_000)
afterAll(async () => {
  for (const server of servers) await new Promise((resolve) => server.close(resolve))
  for (const home of homes) await home.platform.close()
})

describe('ampere home join', () => {
  it('sets nothing up for another registry than the one that is pinned, nor where it is not at home', async () => {
    const other = `${settings.registry.slice(0, -1)}${settings.registry.endsWith('A') ? 'E' : 'A'}`
    expect(await join2('--registry', other, '--as', 'hospital-b')).toMatchObject({
      exit: 3,
      code: 'VERIFICATION_FAILED',
    })
    expect(await join2('--as', 'hospital-b')).toMatchObject({ exit: 2 })
    expect(existsSync(second) ? readdirSync(second) : []).toEqual([])
  })

  it('leaves nothing where the other home is gone after it entered the new one, and goes on with the same command', async () => {
    after = 'is-gone'
    expect(await join2('--registry', settings.registry, '--as', 'hospital-b')).toMatchObject({
      exit: 1,
      code: 'UPSTREAM_FAILED',
    })
    isGone = false
    expect(existsSync(second) ? readdirSync(second) : []).toEqual([])
    expect((await homes[0]?.home.registry.refresh())?.height()).toBe(1)
  })

  it('sets up a home whose registry is the one at the other home, entered by the institution', async () => {
    const registry = settings.registry
    after = 'loses-one'
    expect(await join2('--registry', registry, '--as', 'hospital-b')).toMatchObject({
      exit: 0,
      origin: SECOND,
      registry,
      deployment: 'home-2',
      institution: 'hospital-b',
    })
    const joined = readSettings(second)
    expect(joined).toMatchObject({ registry, deployment: 'home-2', institutions: ['hospital-b'], demo: null })
    expect(await join2('--registry', registry, '--as', 'hospital-b')).toMatchObject({
      exit: 1,
      code: 'ALREADY_EXISTS',
    })
    const home = await serveHere(second, joined as Settings)
    const held = await home.home.registry.refresh()
    expect(held.height()).toBe(2)
    expect(await told(second, 'home', 'status')).toMatchObject({
      exit: 0,
      standing: 'followed',
      home: FIRST,
      overdue: 0,
    })
    expect(await told(first, 'home', 'status')).toMatchObject({
      exit: 0,
      standing: 'home',
      deployment: 'home-1',
    })
  })

  it('follows: what an institution enrols through the new home is in the registry, and then here', async () => {
    const home = homes[1] as OpenHome
    expect(await told(second, 'instance', 'enrol', 'hospital-b-9')).toMatchObject({
      exit: 0,
      registryHeight: 3,
    })
    await home.follow()
    await home.tendLog()
    expect((await home.home.registry.refresh()).height()).toBe(3)
  })

  it('refuses a key at once that is revoked at the other home', async () => {
    const home = homes[1] as OpenHome
    const held = await home.home.registry.refresh()
    const instance = [...recordsIn(held.link()?.state as never)].find(
      (record) => record.kind === 'instance' && record.id === 'hospital-a-2',
    )
    const kid = instance?.kind === 'instance' ? instance.signing : ('' as never)
    expect(activeInstanceOf(held.newest(), kid)).not.toBeNull()
    const revoke = [
      'instance',
      'revoke',
      'hospital-a-2',
      '--reason',
      'compromised',
      '--confirm',
      'hospital-a-2',
    ]
    expect(await told(first, ...revoke, '--as', 'hospital-a')).toMatchObject({
      exit: 0,
      shown: [{ origin: SECOND, isTaken: true }],
    })
    const now = await home.home.registry.refresh()
    expect(now.height()).toBe(3)
    expect(activeInstanceOf(now.newest(), kid)).toBeNull()
    await home.follow()
    expect((await home.home.registry.refresh()).said().get(`key/${kid}`)).toMatchObject({
      revoked: { reason: 'compromised', height: 4 },
    })
  })

  it('takes a record whose blocks its own institution writes', async () => {
    const bundle = join(second, 'bundle.json')
    writeFileSync(
      bundle,
      JSON.stringify({
        resourceType: 'Bundle',
        type: 'collection',
        entry: [
          { resource: { resourceType: 'Patient', id: 'p1', gender: 'female', birthDate: '1970-01-01' } },
        ],
      }),
    )
    expect(await told(second, 'import', bundle)).toMatchObject({ exit: 0 })
    const verified = await told(second, 'verify', '--all')
    expect(verified).toMatchObject({ exit: 0, ok: true })
  })

  it('refuses a key at once also where the home of the registry does not answer, and says what is missing', async () => {
    const [server] = servers
    await new Promise((resolve) => server?.close(resolve))
    const home = homes[1] as OpenHome
    const revoke = [
      'instance',
      'revoke',
      'hospital-b-9',
      '--reason',
      'suspended',
      '--confirm',
      'hospital-b-9',
    ]
    expect(await told(second, ...revoke)).toMatchObject({
      exit: 1,
      code: 'UPSTREAM_FAILED',
      message: expect.stringContaining(`Refused from now on by ${SECOND}`),
    })
    const held = await home.home.registry.refresh()
    expect(held.shown()).toHaveLength(2)
    expect(held.newest().get('instance/hospital-b-9')).toMatchObject({ status: 'revoked' })
    expect(held.said().get('instance/hospital-b-9')).toMatchObject({ status: 'active' })
  })
})
