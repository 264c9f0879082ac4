// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { cloudFolder, writeCloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { makeFolder } from '#cli/deployment/files.ts'
import { makeInstitution } from '#cli/open/institution.ts'
import { rsaPair } from '#tests/core/token/clients.ts'
import { hostedBridge } from '#tests/functions/bridge/hosted-bridge.ts'
import { instanceRecords } from '#tests/deployment.ts'
import { freshFolder, jsonOf, run, testTerminal } from '../harness.ts'

const HOME = 'https://home1.execute-api.test'
const BRIDGE = 'https://bridge1.execute-api.test'
const PASSPHRASE = 'of the test, long'
const data = freshFolder()
const folder = cloudFolder(data, 'aws', 'prod')
let server: Server | null = null
let asked: string[] = []
let bridgeSays: ((request: Request) => Promise<Response>) | null = null

/** A place that answers for AWS, as an emulator does: for each HTTP API by its host name. */
async function endpoint(
  answers: Readonly<Record<string, (request: Request) => Promise<Response>>>,
): Promise<string> {
  const made = createServer((incoming, outgoing) => {
    const answering = async () => {
      const request = await requestOf(incoming)
      const { host, pathname } = new URL(request.url)
      asked.push(`${request.method} ${host.split('.')[0]} ${pathname}`)
      const answer = await (answers[host]?.(request) ?? new Response(null, { status: 404 }))
      outgoing.writeHead(answer.status, Object.fromEntries(answer.headers))
      outgoing.end(Buffer.from(await answer.arrayBuffer()))
    }
    void answering().catch((error: unknown) => outgoing.destroy(error as Error))
  })
  server = made
  await new Promise<void>((resolve) => {
    made.listen(0, '127.0.0.1', resolve)
  })
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}`
}

async function requestOf(incoming: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const { method = 'GET', headers, url = '/' } = incoming
  const { host = '', connection: _, ...others } = headers
  const init = { method, headers: others as Record<string, string> }
  return new Request(
    `https://${host}${url}`,
    chunks.length === 0 ? init : { ...init, body: Buffer.concat(chunks) },
  )
}

let emulator = ''
async function ampere(...args: string[]) {
  const terminal = testTerminal({ env: { AWS_ENDPOINT_URL: emulator } })
  const ended = await run([...args, '--data', data, '--cloud', 'aws-prod', '--no-input', '--json'], terminal)
  return { exit: ended.code, ...jsonOf(ended) } as Record<string, unknown>
}

beforeAll(async () => {
  const clock = { now: Date.now() }
  const at = await hostedBridge(['hospital-a', 'hospital-b'], { origin: HOME, clock }, BRIDGE)
  const { world } = at
  makeFolder(folder)
  writeFileSync(join(folder, 'passphrase'), PASSPHRASE, { mode: 0o600 })
  const stretched = { text: PASSPHRASE, masters: new Map(), isRandom: true }
  const { instances, id } = await makeInstitution(folder, 'hospital-a', stretched)
  // The first is listed nowhere, as one that was revoked.
  const [, signer] = instances
  if (!signer) throw new Error('there is no second instance')
  const { instance, key } = instanceRecords('hospital-a-7', id, signer, ['control', 'create', 'identify'])
  await world.change('hospital-a', [{ act: 'enrol', instance, key }])
  const app = await at.bridging()
  emulator = await endpoint({
    'home1.execute-api.test': world.fetch,
    'bridge1.execute-api.test': async (request) => (bridgeSays ?? app.fetch)(request),
  })
  writeCloudDeployment(folder, {
    v: 1,
    provider: 'aws',
    stage: 'prod',
    region: 'eu-central-1',
    parameters: {},
    institutions: [{ id: 'hospital-a', name: 'Hospital A' }],
    demo: true,
    bridge: {
      institution: 'hospital-a',
      uses: null,
      made: { origin: BRIDGE, key: signer.publicKey, seeds: { sealing: 'x', index: 'x' } },
    },
    home: {
      deployment: world.home.deployment,
      origin: HOME,
      registry: world.registryId,
      log: [],
      witness: [],
    },
  })
}, 60_000)
afterAll(() => {
  server?.closeAllConnections()
  server?.close()
})

describe('the clients of a bridge in a cloud', () => {
  it('are registered, listed, shown, suspended and removed by asking it', async () => {
    const jwks = join(data, 'jwks.json')
    writeFileSync(jwks, JSON.stringify({ keys: [rsaPair('lab-key').jwk] }))
    expect(await ampere('client', 'list')).toEqual({ exit: 0, ok: true, items: [] })
    const add = ['client', 'add', 'lab-7', '--scopes', 'system/*.read', '--as', 'hospital-a'] as const
    expect(await ampere(...add, '--name', 'Laboratory', '--jwks', jwks)).toMatchObject({
      exit: 0,
      replaced: false,
      id: 'lab-7',
      name: 'Laboratory',
      status: 'active',
      scopes: 'system/*.rs',
      keys: [{ kid: 'lab-key', alg: 'RS384' }],
      tokenEndpoint: `${BRIDGE}/oauth/token`,
      fhir: `${BRIDGE}/fhir`,
    })
    const jwksUrl = 'https://lab.example/jwks.json'
    expect(await ampere(...add, '--jwks-url', jwksUrl)).toMatchObject({
      exit: 0,
      replaced: true,
      keys: [],
      jwksUrl,
    })
    expect(await ampere('client', 'show', 'lab-7')).toMatchObject({ exit: 0, status: 'active', jwksUrl })
    expect(await ampere('client', 'suspend', 'lab-7')).toMatchObject({ changed: true, status: 'suspended' })
    expect(await ampere('client', 'suspend', 'lab-7')).toMatchObject({ changed: false, status: 'suspended' })
    expect(await ampere('client', 'remove', 'lab-7', '--yes')).toMatchObject({
      exit: 0,
      changed: true,
      last: true,
    })
    expect(await ampere('client', 'show', 'lab-7')).toMatchObject({ exit: 1, code: 'NOT_FOUND' })
    expect(await ampere('client', 'list')).toMatchObject({ items: [] })
  }, 60_000)

  it('are nobody else’s, and nothing is asked for what cannot be', async () => {
    asked = []
    expect(await ampere('client', 'list', '--as', 'hospital-b')).toMatchObject({ exit: 2 })
    expect(asked).toEqual([])
    expect(await ampere('client', 'show', 'a%b')).toMatchObject({ exit: 2 })
    expect(asked.filter((one) => one.includes(' bridge1 '))).toEqual([])
  })

  it('stay unknown while the bridge answers with something else, and the command says so', async () => {
    const answers = [new Response('<html>'), new Response('{}'), new Response('', { status: 500 })]
    for (const answer of answers) {
      bridgeSays = async () => answer
      const said = await ampere('client', 'list')
      expect(said).toMatchObject({ exit: 1, code: 'UPSTREAM_FAILED' })
      expect(JSON.stringify(said)).toContain('bridge')
    }
    bridgeSays = null
  })
})
