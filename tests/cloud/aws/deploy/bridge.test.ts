// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchByApi } from '#adapters/aws/clients/emulated-api.ts'
import { openAws } from '#adapters/aws/open.ts'
import { createSealedRows } from '#core/bridge/store/sealed-rows.ts'
import { cloudFolder, readCloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { makeFolder } from '#cli/deployment/files.ts'
import { connectInstitution } from '#cli/open/bridge.ts'
import { openInstitution } from '#cli/open/institution.ts'
import { freshFolder } from '#tests/cli/harness.ts'
import { bundle, observation, patient } from '#tests/core/bridge/requests.ts'
import { assertion, ecPair } from '#tests/core/token/clients.ts'
import { CREDENTIALS, describeOn } from '../stack.ts'

const PASSPHRASE = 'of the test'
const STAGE = 'bridged'
const AMPERE = fileURLToPath(new URL('../../../../cli/ampere.mjs', import.meta.url))
const data = freshFolder()
const folder = cloudFolder(data, 'aws', STAGE)
const endpoint = () => process.env['AMPERE_AWS_MINISTACK'] ?? ''
const environment = () => ({
  ...process.env,
  PATH: `${join(process.execPath, '..')}:${process.env['PATH']}`,
  AWS_ENDPOINT_URL: endpoint(),
  AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  AWS_REGION: 'eu-central-1',
})
/** The command, in a process of its own, and what it says. */
async function ampere(...args: string[]): Promise<Record<string, unknown>> {
  const given = [
    '--disable-warning=ExperimentalWarning',
    AMPERE,
    ...args,
    '--data',
    data,
    '--no-input',
    '--json',
  ]
  const child = spawn(process.execPath, given, { env: environment(), stdio: ['ignore', 'pipe', 'ignore'] })
  let stdout = ''
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()))
  const [status] = (await once(child, 'close')) as [number | null]
  expect({ status, said: status === 0 ? '' : stdout }).toEqual({ status: 0, said: '' })
  return JSON.parse(stdout) as Record<string, unknown>
}
const ask = (request: Request) => fetchByApi(environment())(request)
const EHR = ecPair('ehr-1')
const JSON_TYPE = { 'content-type': 'application/fhir+json' }

/** What the operator of the account may do with the table of the bridge. */
function bridgeTable() {
  const naming = { prefix: `ampere-${STAGE}`, buckets: { bucketPrefix: 'none' }, keys: { kms: {} } }
  return openAws({ region: 'eu-central-1', endpoint: endpoint(), credentials: CREDENTIALS, naming })
}

describeOn('MiniStack', 'a home and the bridge of its first institution, deployed by one command', () => {
  let said: Record<string, unknown> = {}
  let origin = ''
  const platform = bridgeTable()
  const get = (path: string, headers: Record<string, string> = {}) =>
    ask(new Request(`${origin}${path}`, { headers }))
  const post = (path: string, body: string, headers: Record<string, string>) =>
    ask(new Request(`${origin}${path}`, { method: 'POST', body, headers }))

  beforeAll(async () => {
    makeFolder(folder)
    writeFileSync(join(folder, 'passphrase'), PASSPHRASE, { mode: 0o600 })
    const founders = ['--institution', 'hospital-a=Hospital A', '--institution', 'hospital-b=Hospital B']
    const parameters = ['--param', 'nativeKeys=Ed25519']
    said = await ampere(
      'deploy',
      'aws',
      '--stage',
      STAGE,
      '--role',
      'both',
      '--demo',
      ...founders,
      ...parameters,
    )
    origin = String(said['origin'])
  }, 600_000)
  afterAll(() => platform.close())

  it('says what it made, and the home says that the account runs a bridge', async () => {
    expect(said['bridge']).toEqual({
      institution: 'hospital-a',
      fhir: `${origin}/fhir`,
      instance: `hospital-a-aws-${STAGE}`,
    })
    expect(await (await get('/.well-known/ampere')).json()).toMatchObject({ bridges: ['hospital-a'] })
    const { bridge } = readCloudDeployment(folder) ?? {}
    const { sealingSeed, indexKey } = await openInstitution(folder, 'hospital-a', PASSPHRASE)
    for (const seed of [sealingSeed, indexKey])
      expect(JSON.stringify(bridge)).not.toContain(Buffer.from(seed).toString('base64url'))
  })

  it('answers strangers what anybody may know, and nothing else', async () => {
    expect(await (await get('/fhir/metadata')).json()).toMatchObject({ resourceType: 'CapabilityStatement' })
    expect(await (await get('/fhir/.well-known/smart-configuration')).json()).toMatchObject({
      token_endpoint: `${origin}/oauth/token`,
    })
    for (const path of ['/fhir/Patient/p1', '/fhir/Observation?patient=p1', '/clients', '/clients/ehr'])
      expect((await get(path)).status).toBe(401)
    expect((await post('/fhir', bundle('transaction', [patient('p1')]), JSON_TYPE)).status).toBe(401)
  })

  it('files what a registered client sends over its address, serves it, and enters who read', async () => {
    const { indexKey, ...institution } = await openInstitution(folder, 'hospital-a', PASSPHRASE)
    const rows = createSealedRows(indexKey, platform.random)
    const jwks = join(data, 'ehr.json')
    writeFileSync(jwks, JSON.stringify({ keys: [EHR.jwk] }))
    const asked = ['--jwks', jwks, '--scopes', 'system/*.cruds', '--cloud', `aws-${STAGE}`]
    expect(await ampere('client', 'add', 'ehr', '--name', 'An EHR', ...asked)).toMatchObject({
      replaced: false,
      tokenEndpoint: `${origin}/oauth/token`,
    })
    const { items } = await ampere('client', 'list', '--cloud', `aws-${STAGE}`)
    expect(items).toMatchObject([{ id: 'ehr', status: 'active' }])
    const about = { client: 'ehr', aud: `${origin}/oauth/token`, nowMs: Date.now(), jti: 'one' }
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'system/*.cruds',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion(EHR, about),
    })
    const given = await post('/oauth/token', form.toString(), {
      'content-type': 'application/x-www-form-urlencoded',
    })
    const { access_token: token } = (await given.json()) as { access_token?: string }
    expect({ status: given.status, has: typeof token }).toEqual({ status: 200, has: 'string' })
    const authorization = { authorization: `Bearer ${token}` }
    for (const [name, id] of [
      ['p1', 'o1'],
      ['p2', 'o2'],
    ] as const) {
      const message = bundle('transaction', [patient(name), observation(id, name)])
      const filed = await post('/fhir', message, { ...JSON_TYPE, ...authorization })
      expect({ status: filed.status, body: await filed.json() }).toMatchObject({
        status: 200,
        body: { type: 'transaction-response' },
      })
    }
    expect(await (await get('/fhir/Observation/o2', authorization)).json()).toMatchObject({
      id: 'o2',
      subject: { reference: 'Patient/p2' },
    })
    const all = (await (await get('/fhir/Patient/p1/$everything', authorization)).json()) as {
      entry: object[]
    }
    expect(all.entry).toHaveLength(2)

    await invoke('checker')
    // Of what the check itself opened, the next one says.
    await invoke('checker')
    expect(await platform.table('bridge').range('access')).toEqual([])
    expect(await platform.table('bridge').get('turn', 'check')).not.toBeNull()
    const home = readCloudDeployment(folder)?.home
    if (!home) throw new Error('there is no home')
    const connection = connectInstitution({ indexKey, ...institution }, home, ask, { policy: null })
    const [linked] = await platform.table('bridge').range('patient')
    const { chain = '' } = await rows.open(linked?.value ?? new Uint8Array(0))
    const record = await connection.replica(chain as never)
    const { access } = record.link.state
    if (!access) throw new Error('there is no access chain')
    const users = (await connection.read(access)).opened.map(
      ({ content }) => (JSON.parse(new TextDecoder().decode(content)) as { user: string }).user,
    )
    expect(users).toContain('client:ehr')
  }, 300_000)

  /** Calls a function as its schedule does. */
  async function invoke(role: string): Promise<void> {
    const scope = `${CREDENTIALS.accessKeyId}/20261129/eu-central-1/lambda/aws4_request`
    const headers = {
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
    }
    const url = `${endpoint()}/2015-03-31/functions/ampere-${STAGE}-${role}/invocations`
    const answer = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ source: 'aws.events' }),
    })
    const error = answer.headers.get('x-amz-function-error')
    expect([answer.status, error === null ? null : await answer.text()]).toEqual([200, null])
  }
})
