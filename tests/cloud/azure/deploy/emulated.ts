// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { openAzure, type AzureCall } from '#adapters/azure/open.ts'
import type { Azure } from '#cli/cloud/azure/azure.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'
import { builtBundles } from '../../built.ts'
import { startFakeIdentity } from '../bundles/fake-identity.ts'
import { VAULT_URL } from '../fake-vault.ts'
import { azureStack, EMULATOR, routed } from '../stack.ts'
import { publishedBundles } from './published-bundles.ts'
import { CREDENTIAL, startWorld } from './world.ts'

/** What differs between tests of a whole deployment. */
export interface Emulating {
  /** The stage; bundles are built in a folder of that name. */
  readonly stage: string
  /** Where the home is reached, instead of at the address that the template gives. */
  readonly origin?: string
  /** An origin to which no name leads, and the server that answers for it: what functions ask there goes to that. */
  readonly led?: { readonly from: string; readonly to: string }
}

/** ARM and publishing are fakes; what is published runs as it is, on emulators of what it keeps its tables and objects in. */
export async function emulatedAzure({ stage, origin, led }: Emulating) {
  const [group, built] = [`ampere-${stage}`, join(process.cwd(), 'dist', `test-azure-${stage}`)]
  const wanted = identitiesOf('home').map(({ name }) => name)
  const roles = wanted.length
  const bundles = builtBundles('azure', built).filter(({ role }) => wanted.includes(role))
  const [stack, identity, world] = await Promise.all([azureStack(), startFakeIdentity(), startWorld()])
  const home = publishedBundles(world.scm, group, { stack, identity, ...(led ? { led } : {}) })
  const { cosmosEndpoint, blobEndpoint, database } = stack.naming
  const at = origin === undefined ? {} : { origin }
  world.arm.state.outputs = { cosmosEndpoint, blobEndpoint, database, vaultUrl: VAULT_URL, ...at }
  const calls: AzureCall[] = []
  const waits: number[] = []
  // Rights that were just given do not count yet: as the real service was seen to, for wrapping keys.
  stack.vault.deny('wrapkey')
  // As the template calls it.
  stack.vault.create('instance', 'EC', ['sign', 'verify'])
  const azure: Azure = {
    connection: {
      ...world.connection,
      pause: async (ms) => {
        waits.push(ms)
        if (ms >= 10_000) stack.vault.deny()
        if (world.scm.packages.size === roles) await home.timer('sequencer')
      },
    },
    subscription: undefined,
    now: () => Date.now(),
    build: async () => ({ folder: built, bundles }),
    open: (naming) =>
      openAzure({
        naming,
        credential: CREDENTIAL,
        emulator: EMULATOR,
        makesKeys: true,
        send: routed({ [VAULT_URL]: stack.vault.origin }),
        // Of a computer that may be busy with other tests.
        limits: { keptMs: 2_000, connectMs: 30_000, requestMs: 60_000, idleMs: 60_000 },
        observe: (call) => void calls.push({ ...call, resource: call.resource.replace(database, 'ampere') }),
      }),
    fetch: home.fetch,
  }
  const close = async () => {
    await home.close()
    await Promise.all([stack.close(), identity.close(), world.close()])
  }
  return { azure, home, world, calls, waits, close }
}
