// SPDX-License-Identifier: Apache-2.0
import { CloudFormationClient, DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation'
import { beforeAll, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { utf8 } from '#core/bytes/encoding.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { cloudFolder, readCloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { reachHome } from '#cli/cloud/aws/reach.ts'
import { playStory, type StoryReport } from '#cli/demo/story.ts'
import { SETTINGS_VERSION, type Settings } from '#cli/deployment/settings.ts'
import { openBridge, type OpenBridge } from '#cli/open/bridge.ts'
import { createLazyValidator } from '#cli/open/validator.ts'
import { makeFolder } from '#cli/deployment/files.ts'
import { ROLE_NAMES } from '#functions/host/role-names.ts'
import { freshFolder } from '#tests/cli/harness.ts'
import { CREDENTIALS, describeOn } from '../stack.ts'

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
const node = (...args: string[]) =>
  spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    encoding: 'utf8',
    env: environment(),
    timeout: 400_000,
  })
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** What the command line would have of a home on this computer. */
function settingsOf(): Settings {
  const { home, institutions } = readCloudDeployment(folder) ?? { home: null, institutions: [] }
  if (!home) throw new Error('nothing was deployed')
  return {
    v: SETTINGS_VERSION,
    registry: home.registry,
    deployment: home.deployment,
    origin: home.origin,
    log: home.log,
    institutions: institutions.map(({ id }) => id),
    passphrase: { kind: 'generated' },
    demo: { record: null, patient: null },
  }
}

async function bridges(): Promise<readonly [OpenBridge, OpenBridge]> {
  const settings = settingsOf()
  const validator = createLazyValidator()
  const fetch = reachHome(settings.origin, environment())
  const context = { folder, settings, passphrase: PASSPHRASE, fetch, validator, beside: false }
  return [await openBridge(context, 'hospital-a'), await openBridge(context, 'hospital-b')]
}

describeOn('MiniStack', 'a deployment by the real framework', () => {
  let story: StoryReport
  let open: readonly [OpenBridge, OpenBridge]

  beforeAll(async () => {
    makeFolder(folder)
    writeFileSync(join(folder, 'passphrase'), PASSPHRASE, { mode: 0o600 })
    for (const step of ['3', '4']) expect(node(INTERRUPTED, folder, STAGE, step).status).toBe(9)
    const founders = ['hospital-a=Hospital A', 'hospital-b=Hospital B', 'clinic-c=Clinic C']
    const first = readCloudDeployment(folder)
    const args = ['deploy', 'aws', '--stage', STAGE, '--data', data, '--no-input', '--json']
    const given = first ? [] : founders.flatMap((each) => ['--institution', each])
    const deployed = node(AMPERE, ...args, ...given)
    expect({ code: deployed.status, said: deployed.status === 0 ? '' : deployed.stdout }).toEqual({
      code: 0,
      said: '',
    })
    const { origin, registry, smoke } = JSON.parse(deployed.stdout) as Record<string, unknown>
    expect({ origin, registry }).toEqual({ origin: first?.home?.origin, registry: first?.home?.registry })
    expect(smoke).toMatchObject({ blocks: 3 })
    open = await bridges()
    story = await playStory(folder, PASSPHRASE, open, () => {})
  }, 600_000)

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
    expect(runs['AWS::Lambda::Function']).toHaveLength(ROLE_NAMES.length)
    expect(runs['AWS::Lambda::EventSourceMapping']).toHaveLength(2)
    expect(stores['AWS::DynamoDB::Table']?.length).toBeGreaterThan(15)
    // Two that are symmetric, and one each for the log and the witness.
    expect(stores['AWS::KMS::Key']).toHaveLength(4)
    expect(stores['AWS::S3::Bucket']).toHaveLength(5)
  })

  it('takes the story of two hospitals, a clinic and a patient through its HTTP API', () => {
    expect(story.imports.map(({ hospital, report }) => [hospital, report.filed.length])).toEqual([
      ['hospital-a', 196],
      ['hospital-b', 29],
      ['hospital-a', 2],
    ])
  })

  it('has carried out the erasure that the stream woke the eraser for, and logs every block', async () => {
    const [{ connection }] = open
    const replica = await connection.replica(story.record)
    let view = await readReceipts(connection, replica)
    for (
      let waited = 0;
      waited < 60_000 && !view?.statuses.every((status) => status === 'logged');
      waited += 500
    ) {
      await pause(500)
      view = await readReceipts(connection, replica)
    }
    expect(new Set(view?.statuses)).toEqual(new Set(['logged']))
    expect(view?.problems).toEqual([])
    const statements = async () => (await connection.api.erased(story.record)).length
    for (let waited = 0; waited < 60_000 && (await statements()) === 0; waited += 500) await pause(500)
    expect(await statements()).toBeGreaterThan(0)
    expect((await connection.read(story.record)).closed.map(({ status }) => status)).toContain('erased')
  }, 150_000)

  it('refuses whom the registry does not know, and answers as on one machine', async () => {
    const { origin } = settingsOf()
    const ask = reachHome(origin, environment())
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
