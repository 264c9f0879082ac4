// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { openAzure } from '#adapters/azure/open.ts'
import type { Azure } from '#cli/cloud/azure/azure.ts'
import { filesIn } from '#cli/cloud/azure/packages.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'
import { builtBundles } from '../../../built.ts'
import { startFakeIdentity } from '../../bundles/fake-identity.ts'
import { VAULT_URL } from '../../fake-vault.ts'
import { azureStack, EMULATOR, routed, type Stack } from '../../stack.ts'
import { publishedBundles, type PublishedBundles } from '../published-bundles.ts'
import { CREDENTIAL, startWorld, type World } from '../world.ts'

const BUILT = join(process.cwd(), 'dist', 'test-azure-deploy')
const HOME_ROLES = identitiesOf('home')

/** A stage, with the emulators and the vault that are its own, and what was published of it. */
export interface EmulatedStage {
  readonly stack: Stack
  readonly published: PublishedBundles
}

/** An Azure of fakes to which several stages are deployed; what they publish runs on emulators. */
export interface EmulatedAzure {
  readonly azure: Azure
  readonly world: World
  readonly stage: (name: string) => EmulatedStage
  /** Has the template of the next deployment be of this stage: the fake has one answer for all. */
  readonly turnTo: (name: string) => Promise<void>
  readonly close: () => Promise<void>
}

/** Each stage is reached at an address of this computer, by the functions of others too. */
export async function emulatedAzure(names: readonly string[]): Promise<EmulatedAzure> {
  const bundles = builtBundles('azure', BUILT)
  const [identity, world] = await Promise.all([startFakeIdentity(), startWorld()])
  const stages = new Map<string, EmulatedStage>()
  const of = (name: string): EmulatedStage => {
    const found = stages.get(name)
    if (found) return found
    throw new RangeError(`there is no stage ${name}`)
  }
  for (const name of names) {
    const stack = await stageStack()
    const published = publishedBundles(world.scm, `ampere-${name}`, { stack, identity })
    stages.set(name, { stack, published })
  }
  const stackOf = (database: string) =>
    [...stages.values()].find(({ stack }) => stack.naming.database === database)?.stack
  const azure: Azure = {
    connection: {
      ...world.connection,
      pause: async () => {
        // Its schedule calls it within a minute, which nobody waits for here.
        for (const [name, { published }] of stages)
          if (isPublished(world, name)) await published.timer('sequencer')
      },
    },
    subscription: undefined,
    now: () => Date.now(),
    build: async (deploys) => {
      const roles = identitiesOf(deploys).map((role) => role.name)
      return {
        files: (role) => filesIn(join(BUILT, role)),
        bundles: bundles.filter(({ role }) => roles.includes(role)),
      }
    },
    open: (naming) =>
      openAzure({
        naming,
        credential: CREDENTIAL,
        emulator: EMULATOR,
        makesKeys: true,
        send: routed({ [VAULT_URL]: stackOf(naming.database)?.vault.origin ?? '' }),
        // Of a computer that may be busy with other tests.
        limits: { keptMs: 2_000, connectMs: 30_000, requestMs: 60_000, idleMs: 60_000 },
      }),
    fetch: (request) => fetch(request),
  }
  return {
    azure,
    world,
    stage: of,
    turnTo: async (name) => {
      const { stack, published } = of(name)
      const { cosmosEndpoint, blobEndpoint, database } = stack.naming
      const origin = await published.origin()
      world.arm.state.outputs = { cosmosEndpoint, blobEndpoint, database, vaultUrl: VAULT_URL, origin }
    },
    close: async () => {
      for (const { published, stack } of stages.values()) {
        await published.close()
        await stack.close()
      }
      await Promise.all([identity.close(), world.close()])
    },
  }
}

/** With the keys that the template makes, as it calls them. */
async function stageStack(): Promise<Stack> {
  const stack = await azureStack()
  for (const name of ['instance', 'bridge']) stack.vault.create(name, 'EC', ['sign', 'verify'])
  stack.vault.create('sealing', 'RSA', ['wrapKey', 'unwrapKey'])
  return stack
}

/** Every role of a home, which answers only then. */
function isPublished({ scm }: World, stage: string): boolean {
  const names = [...scm.packages.keys()]
  return HOME_ROLES.every(({ name }) => names.some((each) => each.startsWith(`ampere-${stage}-${name}-`)))
}
