// SPDX-License-Identifier: Apache-2.0
import type { HttpClient } from '@azure/core-rest-pipeline'
import type { AccessToken, TokenCredential } from '@azure/identity'
import { addClientOn } from '#cli/commands/client/add.ts'
import { CATALOGUE } from '#cli/catalogue/all.ts'
import type { Azure } from '#cli/cloud/azure/azure.ts'
import { azureCloud } from '#cli/cloud/azure/cloud.ts'
import { CLOUDS } from '#cli/cloud/clouds.ts'
import { backUpOn } from '#cli/commands/backup/backup.ts'
import { migrateOn } from '#cli/commands/backup/migrate.ts'
import { restoreOn } from '#cli/commands/backup/restore.ts'
import { deployOn } from '#cli/commands/cloud/deploy.ts'
import { destroyOn, statusOf } from '#cli/commands/cloud/standing.ts'
import { runCommand } from '#cli/program/program.ts'
import { testTerminal, type Ended, type TestTerminalOptions } from '#tests/cli/harness.ts'
import { TOKEN } from '../fake-vault.ts'
import { led } from '../stack.ts'
import { startFakeArm, type FakeArm } from './fake-arm.ts'
import { startFakeScm, type FakeScm } from './fake-scm.ts'
import type { Asked, Break } from './fake-server.ts'

/** Who deploys in tests. */
export const PRINCIPAL = '33333333-3333-3333-3333-333333333333'
const CLAIMS = { oid: PRINCIPAL, idtyp: 'user', upn: 'operator@hospital.example' }
const tokenOf = (claims: object) => `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`
export const ARM_TOKEN = tokenOf(CLAIMS)
const SCM_TOKEN = 'token-to-publish'

/** The fakes of all that a deployment asks of Azure but its stores. */
export interface World {
  readonly arm: FakeArm
  readonly scm: FakeScm
  readonly connection: Azure['connection']
  readonly close: () => Promise<void>
}

export async function startWorld(breaks: (asked: Asked) => Break = () => null): Promise<World> {
  const [arm, scm] = await Promise.all([startFakeArm(ARM_TOKEN, breaks), startFakeScm(SCM_TOKEN, breaks)])
  const send: HttpClient = led(({ host, pathname, search }) => {
    if (host === 'management.azure.com') return `${arm.origin}${pathname}${search}`
    return host.endsWith('.scm.azurewebsites.net') ? `${scm.origin}/${host}${pathname}${search}` : undefined
  })
  return {
    arm,
    scm,
    connection: { credential: CREDENTIAL, send, retries: 0, pause: async () => {} },
    close: async () => {
      await Promise.all([arm.close(), scm.close()])
    },
  }
}

/** Each service takes a token for itself alone. */
export const CREDENTIAL: TokenCredential = {
  getToken: async (scope): Promise<AccessToken> => ({
    token: tokenFor(String(scope)),
    expiresOnTimestamp: Date.now() + 3_600_000,
  }),
}

function tokenFor(scope: string): string {
  if (scope.startsWith('https://management.azure.com')) return ARM_TOKEN
  return scope.startsWith('https://appservice.azure.com') ? SCM_TOKEN : TOKEN
}

/** Runs a command line in this process, against an Azure of fakes, and whatever other clouds there are. */
export async function runOn(
  azure: Azure,
  args: readonly string[],
  terminal: TestTerminalOptions = {},
): Promise<Ended> {
  const open = async () => azureCloud({}, azure)
  const clouds = { ...CLOUDS, azure: { open } }
  const loads = new Map<string, () => Promise<(call: never) => Promise<number>>>([
    ['deploy azure', async () => deployOn(open, azure.connection.pause, clouds)],
    ['client add', async () => addClientOn(clouds)],
    ['backup', async () => backUpOn(clouds)],
    ['restore', async () => restoreOn(clouds)],
    ['migrate', async () => migrateOn(clouds, azure.connection.pause)],
    ['deploy status', async () => statusOf(clouds)],
    ['deploy destroy', async () => destroyOn(clouds)],
  ])
  const catalogue = CATALOGUE.map((group) => ({
    ...group,
    commands: group.commands.map((spec) => ({ ...spec, load: loads.get(spec.name) ?? spec.load })),
  }))
  const at = testTerminal(terminal)
  const code = await runCommand(args, catalogue, '0.0.0', at)
  return { code, out: at.said.out, err: at.said.err }
}
