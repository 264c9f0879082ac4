// SPDX-License-Identifier: Apache-2.0
import { CloudFormationClient, DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchByApi } from '#adapters/aws/clients/emulated-api.ts'
import { cloudFolder } from '#cli/cloud/cloud-folder.ts'
import { readSettings } from '#cli/deployment/settings.ts'
import { connectInstitution } from '#cli/open/bridge.ts'
import { openInstitution } from '#cli/open/institution.ts'
import { pinnedPolicy } from '#cli/open/policy.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { jsonOf } from '#tests/cli/harness.ts'
import { entry, erase, migrateScene, PASSPHRASE, recordOf, withHome } from '#tests/e2e/migrate/scene.ts'
import { CREDENTIALS, describeOn } from '../stack.ts'

const AMPERE = fileURLToPath(new URL('../../../../cli/ampere.mjs', import.meta.url))
const STAGE = 'moved'
const textOf = (content: Uint8Array) => new TextDecoder().decode(content)

describeOn('MiniStack', 'a home of this computer that is moved to AWS by the real framework', () => {
  let scene: Awaited<ReturnType<typeof migrateScene>>
  let record: ChainId
  let revoked: string
  let moved: Readonly<Record<string, unknown>>
  const environment = () => ({
    ...process.env,
    PATH: `${join(process.execPath, '..')}:${process.env['PATH']}`,
    AWS_ENDPOINT_URL: process.env['AMPERE_AWS_MINISTACK'],
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_REGION: 'eu-central-1',
  })
  /** Runs a command while this process goes on to answer. */
  const ampere = async (...args: string[]) => {
    const common = ['--data', scene.old, '--passphrase-file', join(scene.root, 'passphrase')]
    const child = spawn(process.execPath, [AMPERE, ...args, ...common, '--no-input', '--json'], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 400_000,
    })
    let out = ''
    child.stdout.on('data', (part: Buffer) => (out += part.toString()))
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, out }
  }
  const folder = () => cloudFolder(scene.old, 'aws', STAGE)
  const connected = async () => {
    const settings = readSettings(folder())
    if (!settings) throw new Error('settings are expected')
    const hospital = await openInstitution(folder(), 'hospital-a', PASSPHRASE)
    const fetch = fetchByApi(environment())
    const policy = pinnedPolicy(folder(), settings)
    return { settings, fetch, connection: connectInstitution(hospital, settings, fetch, { policy }) }
  }

  /** Roles in the stack of what is kept. */
  const rolesLeft = async () => {
    const client = new CloudFormationClient({
      region: 'eu-central-1',
      endpoint: process.env['AMPERE_AWS_MINISTACK'] ?? '',
      credentials: CREDENTIALS,
    })
    const { StackResources = [] } = await client.send(
      new DescribeStackResourcesCommand({ StackName: `ampere-${STAGE}-stores` }),
    )
    client.destroy()
    const roles = StackResources.filter(({ ResourceType }) => ResourceType === 'AWS::IAM::Role')
    return roles.map(({ LogicalResourceId = '' }) => LogicalResourceId).toSorted()
  }

  beforeAll(async () => {
    scene = await migrateScene(['hospital-a', 'hospital-b'])
    await withHome(scene.old, async (open) => {
      const made = await recordOf(open, ['before', 'secret'], 1)
      record = made.record
      await erase(open, record, made.device, 'secret')
    })
    const enrolled = jsonOf(await scene.ampere(scene.old, 'instance', 'enrol', '--as', 'hospital-b'))
    revoked = String(enrolled['kid'])
    const name = String(enrolled['instance'])
    await scene.ampere(scene.old, 'instance', 'revoke', name, '--as', 'hospital-b', '--confirm', name)
    const { code, out } = await ampere('migrate', '--to', `aws-${STAGE}`, '--region', 'eu-central-1')
    expect({ code, said: code === 0 ? '' : out }).toEqual({ code: 0, said: '' })
    moved = JSON.parse(out) as Record<string, unknown>
  }, 600_000)
  afterAll(() => rmSync(scene.root, { recursive: true }))

  it('has every chain there, the same byte by byte', () => {
    expect(moved).toMatchObject({
      ok: true,
      deployment: 'home-2',
      ended: [],
      unlogged: 0,
      compared: { chains: 2, differences: [], unlisted: 0 },
    })
    expect(moved['moved']).toHaveLength(2)
  })

  it('answers there through its HTTP API: reads, appends, logs, and opens nothing that was erased', async () => {
    const { connection } = await connected()
    await connection.append(record, [entry('after')])
    const { opened, closed } = await connection.read(record)
    expect(opened.map(({ content }) => textOf(content))).toEqual(['before', 'after'])
    expect(closed.map(({ status }) => status)).toContain('erased')
    const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
    const statuses = async () =>
      new Set((await readReceipts(connection, await connection.replica(record)))?.statuses)
    let found = await statuses()
    for (let waited = 0; waited < 60_000 && found.has('promised'); waited += 500) {
      await pause(500)
      found = await statuses()
    }
    expect(found).toEqual(new Set(['logged']))
  }, 120_000)

  it('refuses there a key that was revoked before', async () => {
    const { settings, fetch } = await connected()
    const hospital = await openInstitution(folder(), 'hospital-b', PASSPHRASE)
    const instances = hospital.instances.filter(({ kid }) => kid === revoked)
    expect(instances).toHaveLength(1)
    const by = connectInstitution({ ...hospital, instances }, settings, fetch)
    await expect(by.append(record, [entry('stolen')])).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  }, 60_000)

  it('has left nobody a role with which its stores can be filled', async () => {
    expect(await rolesLeft()).toEqual(['BackupRole', 'SetupRole'])
  })

  it('is backed up there by the role that may only read, and a drill restores that with what was added since', async () => {
    const { connection } = await connected()
    const to = join(scene.root, 'backup')
    const done = await ampere('backup', '--to', to, '--cloud', `aws-${STAGE}`)
    expect({ code: done.code, said: done.code === 0 ? '' : done.out }).toEqual({ code: 0, said: '' })
    expect(JSON.parse(done.out)).toMatchObject({ ok: true, chains: 2, resumed: false })
    await connection.append(record, [entry('since')])
    const tried = await ampere('restore', '--from', to, '--drill', '--cloud', `aws-${STAGE}`)
    expect({ code: tried.code, said: tried.code === 0 ? '' : tried.out }).toEqual({ code: 0, said: '' })
    expect(JSON.parse(tried.out)).toMatchObject({
      ok: true,
      erasures: 1,
      findings: [],
      compared: { chains: 2, differences: [], unlisted: 0 },
    })
  }, 300_000)

  it('takes nothing at the old home any more', async () => {
    await withHome(scene.old, async ({ connection }) => {
      const elsewhere = { code: 'CHAIN_MOVED', message: expect.stringContaining(String(moved['origin'])) }
      await expect(connection.append(record, [entry('late')])).rejects.toMatchObject(elsewhere)
    })
    expect((await ampere('start', '--once')).code).toBe(1)
  }, 60_000)

  it('comes back into a folder with what was added there, and then nothing answers there and no role is left', async () => {
    const { settings, fetch } = await connected()
    const back = join(scene.root, 'back')
    const { code, out } = await ampere('migrate', '--from', `aws-${STAGE}`, '--to', back, '--port', '19997')
    expect({ code, said: code === 0 ? '' : out }).toEqual({ code: 0, said: '' })
    expect(JSON.parse(out)).toMatchObject({
      deployment: 'home-3',
      compared: { differences: [], unlisted: 0 },
    })
    await withHome(back, async ({ connection }) => {
      const { opened } = await connection.read(record)
      expect(opened.map(({ content }) => textOf(content))).toEqual(['before', 'after', 'since'])
      await connection.append(record, [entry('back')])
    })
    expect((await fetch(new Request(`${settings.origin}/.well-known/ampere`))).status).toBeGreaterThan(399)
    expect(await rolesLeft()).toEqual(['BackupRole', 'SetupRole'])
    expect((await ampere('deploy', 'aws', '--stage', STAGE)).out).toContain('CHAIN_MOVED')
  }, 300_000)
})
