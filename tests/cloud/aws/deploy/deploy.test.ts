// SPDX-License-Identifier: Apache-2.0
import { CloudFormationClient, DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openAws } from '#adapters/aws/open.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { connect } from '#core/client/connect.ts'
import { AUDITED_PARTITION } from '#core/server/audit/log/audited-row.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { cloudFolder, readCloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { fetchByApi } from '#adapters/aws/clients/emulated-api.ts'
import { playStory, type StoryReport } from '#cli/demo/story.ts'
import type { Settings } from '#cli/deployment/settings.ts'
import { connectInstitution, openBridge, type OpenBridge } from '#cli/open/bridge.ts'
import { openInstitution } from '#cli/open/institution.ts'
import { createLazyValidator } from '#cli/open/validator.ts'
import { makeFolder } from '#cli/deployment/files.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'
import { freshFolder } from '#tests/cli/harness.ts'
import { MIB, noise } from '#tests/core/server/upload/uploads.ts'
import { plain, told } from '../../without-tls.ts'
import { CREDENTIALS, describeOn } from '../stack.ts'
import { settingsOf } from './as-settings.ts'
import { outsideWitness, type OutsideWitness } from '../../outside-witness.ts'

const PASSPHRASE = 'of the test'
const STAGE = 'e2e'
const AMPERE = fileURLToPath(new URL('../../../../cli/ampere.mjs', import.meta.url))
const INTERRUPTED = fileURLToPath(new URL('interrupted.ts', import.meta.url))
const data = freshFolder()
const folder = cloudFolder(data, 'aws', STAGE)
const environment = () => ({
  ...process.env,
  PATH: `${join(process.execPath, '..')}:${process.env['PATH']}`,
  AWS_ENDPOINT_URL: process.env['AMPERE_AWS_MINISTACK'],
  AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  AWS_REGION: 'eu-central-1',
})
/** Runs a program while this process goes on to answer. */
const node = async (
  ...args: string[]
): Promise<{ readonly status: number | null; readonly stdout: string }> => {
  const flags = ['--disable-warning=ExperimentalWarning', ...args]
  const child = spawn(process.execPath, flags, {
    env: environment(),
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 400_000,
  })
  let stdout = ''
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()))
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, stdout }
}
/** Runs a command about the deployment. */
const ampere = async (...args: string[]): Promise<Record<string, unknown>> => {
  const common = ['--cloud', `aws-${STAGE}`, '--data', data, '--no-input', '--json']
  const { status, stdout } = await node(AMPERE, ...args, ...common)
  const said = JSON.parse(stdout) as Record<string, unknown>
  expect({ status, said }).toMatchObject({ status: 0 })
  return said
}
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** What is remembered of the deployment, as the command line has it. */
function settings(): Settings {
  return settingsOf(readCloudDeployment(folder) ?? { home: null, institutions: [] })
}

async function bridges(): Promise<readonly [OpenBridge, OpenBridge]> {
  const here = settings()
  const validator = createLazyValidator()
  const fetch = fetchByApi(environment())
  const context = { folder, settings: here, passphrase: PASSPHRASE, fetch, validator, beside: false }
  return [await openBridge(context, 'hospital-a'), await openBridge(context, 'hospital-b')]
}

describeOn('MiniStack', 'a deployment by the real framework', () => {
  let story: StoryReport
  let open: readonly [OpenBridge, OpenBridge]
  let witness: OutsideWitness

  beforeAll(async () => {
    makeFolder(folder)
    writeFileSync(join(folder, 'passphrase'), PASSPHRASE, { mode: 0o600 })
    for (const step of ['3', '4']) expect((await node(INTERRUPTED, folder, STAGE, step)).status).toBe(9)
    const first = readCloudDeployment(folder)
    if (!first?.home) throw new Error('the home was not set up')
    witness = await outsideWitness(first.home.origin, first.home.log)
    writeFileSync(join(data, 'witness.txt'), witness.keys)
    expect(await ampere('witness', 'add', '--keys', join(data, 'witness.txt'))).toMatchObject({
      changed: true,
      effective: 'next-deploy',
    })
    const args = ['deploy', 'aws', '--stage', STAGE, '--data', data, '--no-input', '--json']
    const deployed = await node(AMPERE, ...args)
    expect({ code: deployed.status, said: deployed.status === 0 ? '' : deployed.stdout }).toEqual({
      code: 0,
      said: '',
    })
    const { origin, registry, smoke } = JSON.parse(deployed.stdout) as Record<string, unknown>
    expect({ origin, registry }).toEqual({ origin: first.home.origin, registry: first.home.registry })
    expect(smoke).toMatchObject({ blocks: 3 })
    open = await bridges()
    story = await playStory(folder, PASSPHRASE, open, () => {})
  }, 600_000)
  afterAll(() => witness.close())

  it('has every function, table, bucket and key in its two stacks', async () => {
    const client = new CloudFormationClient({
      region: 'eu-central-1',
      endpoint: process.env['AMPERE_AWS_MINISTACK'] ?? '',
      credentials: CREDENTIALS,
    })
    const typesOf = async (StackName: string) => {
      const { StackResources = [] } = await client.send(new DescribeStackResourcesCommand({ StackName }))
      const failed = StackResources.filter(
        ({ ResourceStatus }) => !/^(CREATE|UPDATE)_COMPLETE$/.test(ResourceStatus ?? ''),
      )
      expect(failed).toEqual([])
      return Object.groupBy(StackResources, ({ ResourceType }) => ResourceType ?? '')
    }
    const [stores, runs] = [await typesOf(`ampere-${STAGE}-stores`), await typesOf(`ampere-${STAGE}`)]
    client.destroy()
    expect(runs['AWS::Lambda::Function']).toHaveLength(identitiesOf('home').length)
    expect(runs['AWS::Lambda::EventSourceMapping']).toHaveLength(2)
    expect(stores['AWS::DynamoDB::Table']?.length).toBeGreaterThan(15)
    // Two that are symmetric, and one each for the log, the witness and the mirror.
    expect(stores['AWS::KMS::Key']).toHaveLength(5)
    expect(stores['AWS::S3::Bucket']).toHaveLength(5)
  })

  it('takes the story of two hospitals, a clinic and a patient through its HTTP API', () => {
    expect(story.imports.map(({ hospital, report }) => [hospital, report.filed.length])).toEqual([
      ['hospital-a', 196],
      ['hospital-b', 29],
      ['hospital-a', 2],
    ])
  })

  it('has carried out the erasure that the stream woke the eraser for, and has every block witnessed', async () => {
    const [{ connection }] = open
    const replica = await connection.replica(story.record)
    let view = await readReceipts(connection, replica)
    for (
      let waited = 0;
      waited < 60_000 && !view?.statuses.every((status) => status === 'witnessed');
      waited += 500
    ) {
      await pause(500)
      view = await readReceipts(connection, replica)
    }
    expect(new Set(view?.statuses)).toEqual(new Set(['witnessed']))
    expect(view?.problems).toEqual([])
    const statements = async () => (await connection.api.erased(story.record)).length
    for (let waited = 0; waited < 60_000 && (await statements()) === 0; waited += 500) await pause(500)
    expect(await statements()).toBeGreaterThan(0)
    expect((await connection.read(story.record)).closed.map(({ status }) => status)).toContain('erased')
  }, 150_000)

  it('takes an object that no function takes, by a URL that its writer signs', async () => {
    const { ports } = open[0].connection
    const past: number[] = []
    const by = connect({
      ...ports,
      fetch: async (request) => told(await ports.fetch(request)),
      outside: async (request) => {
        const put = await plain(request)
        const answer = await fetch(put)
        past.push(answer.status)
        return answer
      },
    })
    const { deployment, origin } = settings()
    const { record } = await createRecord(by, { deployment: asDeploymentId(deployment), origin }, ['general'])
    const content = noise(5 * MIB)
    await by.append(record, [{ header: utf8('{}'), content, compartment: 'general' }])
    expect(past).toEqual([200])
    const { opened } = await by.read(record)
    expect(opened.map((entry) => Buffer.from(entry.content).equals(Buffer.from(content)))).toEqual([true])
  }, 150_000)

  it('audits its log when the schedule calls the auditor', async () => {
    const naming = { prefix: `ampere-${STAGE}`, buckets: { bucketPrefix: 'none' }, keys: { kms: {} } }
    const endpoint = process.env['AMPERE_AWS_MINISTACK'] ?? ''
    const at = { region: 'eu-central-1', endpoint, credentials: CREDENTIALS, naming }
    const platform = openAws(at)
    const passed = async () => (await platform.table('checkpoints').range(AUDITED_PARTITION)).length
    const before = await passed()
    const url = `${endpoint}/2015-03-31/functions/ampere-${STAGE}-auditor/invocations`
    // By which the emulator tells the region; it checks no signature.
    const scope = `${CREDENTIALS.accessKeyId}/20261129/eu-central-1/lambda/aws4_request`
    const headers = {
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
    }
    const event = { method: 'POST', headers, body: JSON.stringify({ source: 'aws.events' }) }
    const answer = await fetch(url, event)
    expect([answer.status, answer.headers.get('x-amz-function-error')]).toEqual([200, null])
    expect(await passed()).toBeGreaterThan(before)
    await platform.close()
  }, 120_000)

  it('takes what an instance signs that was enrolled, until it is revoked', async () => {
    const enrolled = await ampere('instance', 'enrol', '--capabilities', 'create,control')
    const institution = await openInstitution(folder, 'hospital-a', PASSPHRASE)
    const signer = institution.instances.find(({ kid }) => kid === enrolled['kid'])
    if (!signer) throw new Error('its key is not here')
    const { origin, registry, deployment } = settings()
    const own = { ...institution, instances: [signer] }
    const fetch = fetchByApi(environment())
    const connected = () => connectInstitution(own, { origin, registry }, fetch, { policy: null })
    const { record } = await createRecord(connected(), { deployment: asDeploymentId(deployment), origin }, [
      'general',
    ])
    const append = () =>
      connected().append(record, [{ header: utf8('{}'), content: utf8('x'), compartment: 'general' }])
    await append()
    const name = String(enrolled['instance'])
    await ampere('instance', 'revoke', name, '--confirm', name)
    await expect(append()).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  }, 120_000)

  it('refuses whom the registry does not know, and answers as on one machine', async () => {
    const { origin } = settings()
    const ask = fetchByApi(environment())
    const unknown = await ask(new Request(`${origin}/v1/chains/${story.record}/head`))
    expect([unknown.status, ((await unknown.json()) as { code: string }).code]).toEqual([401, 'UNAUTHORIZED'])
    const bad = await ask(
      new Request(`${origin}/v1/blocks`, {
        method: 'POST',
        headers: { 'content-type': 'application/vnd.ampere.append' },
        body: utf8('not an append'),
      }),
    )
    expect([bad.status, ((await bad.json()) as { code: string }).code]).toEqual([400, 'REQUEST_MALFORMED'])
    expect((await ask(new Request(`${origin}/no/such/route`))).status).toBe(404)
    expect((await ask(new Request(`${origin}/.well-known/ampere`))).status).toBe(200)
    expect((await ask(new Request(`${origin}/openapi.json`))).status).toBe(200)
  })
})
