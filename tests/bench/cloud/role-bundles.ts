// SPDX-License-Identifier: Apache-2.0
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { encodeAppend } from '#core/api/append.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import type { Platform } from '#core/ports/needs.ts'
import { select } from '#core/ports/needs.ts'
import { tellStanding } from '#core/server/standing/standing.ts'
import { HOME_OPERATIONS } from '#functions/roles.ts'
import { buildBundles } from '#infra/bundle/build.ts'
import type { Provider, RoleBundle } from '#infra/bundle/bundle.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { configOf } from '#tests/functions/host/apart.ts'
import type { Asked } from '../children/cold-start.ts'

/** The built bundles of a home on a provider, beside each a description of a home on the emulators, and how a process of one is started. */
export interface RoleBundles {
  readonly bundles: readonly RoleBundle[]
  readonly world: TestDeployment
  /** What a process is told to load and to ask of a role first. */
  asked(role: string): Asked
  readonly env: Readonly<Record<string, string>>
  close(): Promise<void>
}

interface Opened {
  readonly platform: Platform
  readonly env: Readonly<Record<string, string>>
  readonly vault: Asked['vault']
  readonly close: () => Promise<void>
}

/** On running emulators (`onEmulators`). */
export async function roleBundles(provider: Provider): Promise<RoleBundles> {
  const folder = mkdtempSync(join(tmpdir(), 'ampere-bundles-'))
  const bundles = await buildBundles(provider, join(folder, 'built'), 'home')
  const { platform, env, vault, close } = provider === 'aws' ? await openAws() : await openAzure()
  const clock = {
    get now() {
      return Date.now()
    },
    set now(_) {},
  }
  const world = await testDeployment(['hospital-a'], { base: platform, clock })
  const config = await configText(world)
  for (const { role } of bundles) {
    cpSync(join(folder, 'built', role), join(folder, role), { recursive: true })
    writeFileSync(join(folder, role, 'ampere.json'), config)
  }
  const connection = world.connect('hospital-a')
  const { record } = await createRecord(
    connection,
    { deployment: asDeploymentId('home-1'), origin: ORIGIN },
    ['general'],
  )
  const [newest = ''] = (await connection.api.blocks(record, 0)).items.slice(-1)
  const ports = await select(platform, { tables: { checkpoints: 'write' }, objects: {}, keys: {} })
  await tellStanding(ports, { behind: false, logging: true })
  const again = encodeAppend({ block: newest, row: null, packages: [], labelKey: null, object: null })
  const requests: Readonly<Record<string, Asked['request']>> = {
    // A stored block once more: its chain, the registry and a signature by the head's key.
    writer: { method: 'POST', path: '/v1/blocks', body: Buffer.from(again).toString('base64') },
    reader: { method: 'GET', path: `/v1/chains/${record}/head`, body: '' },
  }
  const other = { method: 'GET', path: '/no/such/route', body: '' }
  return {
    bundles,
    world,
    env,
    asked: (role) => ({
      provider,
      vault,
      bundle: pathToFileURL(join(folder, role, 'index.mjs')).href,
      request: answers(role) ? (requests[role] ?? other) : null,
    }),
    close: async () => {
      await platform.close()
      await close()
    },
  }
}

/** The others are woken by a schedule alone. */
function answers(role: string): boolean {
  const operations: Readonly<Record<string, readonly unknown[]>> = HOME_OPERATIONS
  return (operations[role]?.length ?? 0) > 0
}

async function openAws(): Promise<Opened> {
  const { makeStack, CREDENTIALS } = await import('#tests/cloud/aws/emulators/make-stack.ts')
  const { options, open } = await makeStack('MiniStack')
  const endpoint = process.env['AMPERE_AWS_MINISTACK'] ?? ''
  const { prefix, buckets, keys } = options.naming
  return {
    platform: open(),
    vault: null,
    close: async () => {},
    env: {
      AWS_REGION: options.region,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_ENDPOINT_URL: endpoint,
      AMPERE_AWS: JSON.stringify({ prefix, buckets, keys }),
    },
  }
}

async function openAzure(): Promise<Opened> {
  const { azureStack, EMULATOR } = await import('#tests/cloud/azure/stack.ts')
  const { VAULT_URL } = await import('#tests/cloud/azure/fake-vault.ts')
  const { startFakeIdentity } = await import('#tests/cloud/azure/bundles/fake-identity.ts')
  const [stack, identity] = [await azureStack(), await startFakeIdentity()]
  return {
    platform: stack.open(),
    vault: [new URL(VAULT_URL).hostname, stack.vault.origin],
    close: async () => {
      await stack.close()
      await identity.close()
    },
    env: {
      ...identity.env,
      AMPERE_AZURE: JSON.stringify({ naming: stack.naming, clientId: 'client', emulator: EMULATOR }),
    },
  }
}

async function configText({ platform, home }: TestDeployment): Promise<string> {
  const { logKeys, witnessKeys, ...rest } = await configOf(platform, home)
  return JSON.stringify({
    ...rest,
    logKeys: logKeys.map(formatVerifierKey),
    witnessKeys: witnessKeys.map(formatVerifierKey),
  })
}
