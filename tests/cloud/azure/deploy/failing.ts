// SPDX-License-Identifier: Apache-2.0
import { expect } from '@jest/globals'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withFaults } from '#adapters/around/faults.ts'
import { openMemory } from '#adapters/memory/open.ts'
import type { Azure } from '#cli/cloud/azure/azure.ts'
import { filesIn } from '#cli/cloud/azure/packages.ts'
import { readCloudDeployment, type CloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { parseJws } from '#core/block/jws.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { REGISTRY_PARTITION } from '#core/server/store/registry.ts'
import { heightKey } from '#core/server/store/rows.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'
import { freshFolder, type Ended } from '#tests/cli/harness.ts'
import { publishedHome } from './published-home.ts'
import type { Break } from './fake-server.ts'
import { runOn, startWorld, type World } from './world.ts'

const ROLES = identitiesOf('home')

/** A deployment whose every call can be failed: of ARM, of publishing, of the stores while the home is founded, of the home while it is tried. */
export interface Failing {
  readonly world: World
  readonly azure: Azure
  readonly data: string
  readonly calls: readonly string[]
  /** Fails the n-th call from now on. */
  readonly fail: (at: number, how: Break) => void
}

export const STAGE = 'dev'
export const GROUP = `ampere-${STAGE}`
export const FOUNDERS = ['--institution', 'st-marys=St Mary', '--institution', 'clinic=Clinic']
const worlds: World[] = []

/** Ends what was started here. */
export async function closeAll(): Promise<void> {
  for (const world of worlds) await world.close()
}

/** Packages that say which role they are and no more: their code is not run. */
export function builtRoles(): string {
  const folder = freshFolder()
  for (const { name } of ROLES) {
    mkdirSync(join(folder, name), { recursive: true })
    writeFileSync(join(folder, name, 'index.mjs'), `// ${name}`)
  }
  return folder
}

export async function failing(): Promise<Failing> {
  const calls: string[] = []
  const plan: { at: number; how: Break } = { at: -1, how: null }
  const next = (name: string): Break => {
    const how = calls.length === plan.at ? plan.how : null
    calls.push(name)
    return how
  }
  const world = await startWorld(({ method, path }) => next(`${method} ${path}`))
  worlds.push(world)
  const folder = builtRoles()
  const memory = openMemory()
  const faulty = withFaults(memory)
  faulty.plan((_, name) => next(`store ${name}`))
  const home = publishedHome(world.scm, GROUP, memory)
  const azure: Azure = {
    connection: world.connection,
    subscription: undefined,
    now: () => Date.now(),
    build: async () => ({
      files: (role) => filesIn(join(folder, role)),
      bundles: ROLES.map(({ name }) => ({ role: name, bytes: 9 })),
    }),
    // Closing it would end the home too.
    open: () => ({ ...faulty.platform, close: async () => {} }),
    fetch: async (request) => {
      const how = next(
        `home ${request.method} ${new URL(request.url).pathname.replaceAll(/[\w-]{43}/g, 'ID')}`,
      )
      if (how === 'not-applied') throw new TypeError('fetch failed')
      const answer = await home(request)
      if (how === 'applied-unknown') throw new TypeError('fetch failed')
      return answer
    },
  }
  return {
    world,
    azure,
    data: freshFolder(),
    calls,
    fail: (at, how) => {
      calls.length = 0
      Object.assign(plan, { at, how })
    },
  }
}

export const deploy = ({ azure, data }: Failing, ...args: readonly string[]): Promise<Ended> =>
  runOn(azure, ['deploy', 'azure', '--stage', STAGE, '--data', data, '--no-input', ...args])

/** What must be true of a deployment that is said to be made, however often it was begun. */
export async function isWhole({ world, azure, data }: Failing): Promise<void> {
  const known = knownOf(data)
  const stored = await azure
    .open({} as Parameters<Azure['open']>[0])
    .table('registry')
    .range(REGISTRY_PARTITION, { from: heightKey(0), to: heightKey(9) })
  expect(stored).toHaveLength(1)
  const [genesis] = stored
  expect(genesis && parseJws(fromUtf8(genesis.value), 'ampere-registry+jws').id).toBe(known?.home?.registry)
  const configs = [...world.scm.packages.values()].map((files) =>
    String(Buffer.from(files['ampere.json'] ?? [])),
  )
  expect(configs).toHaveLength(ROLES.length)
  expect(new Set(configs).size).toBe(1)
  expect((JSON.parse(configs[0] ?? '{}') as { registry?: string }).registry).toBe(known?.home?.registry)
  const apps = [...world.arm.resources(GROUP).values()].filter(({ type }) => type === 'Microsoft.Web/sites')
  expect(apps).toHaveLength(ROLES.length)
}

export function knownOf(data: string): CloudDeployment | null {
  return readCloudDeployment(join(data, 'cloud', `azure-${STAGE}`))
}

export function isFounded({ data }: Failing): boolean {
  return knownOf(data)?.home != null
}
