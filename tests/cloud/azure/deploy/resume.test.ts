// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withFaults } from '#adapters/around/faults.ts'
import { openMemory } from '#adapters/memory/open.ts'
import type { Azure } from '#cli/cloud/azure/azure.ts'
import { readCloudDeployment } from '#cli/cloud/cloud-folder.ts'
import { parseJws } from '#core/block/jws.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { REGISTRY_PARTITION } from '#core/server/store/registry.ts'
import { heightKey } from '#core/server/store/rows.ts'
import { HOME_ROLES } from '#functions/roles.ts'
import { freshFolder, type Ended } from '#tests/cli/harness.ts'
import { publishedHome } from './published-home.ts'
import type { Break } from './fake-server.ts'
import { runOn, startWorld, type World } from './world.ts'

/** A deployment whose every call can be failed: of ARM, of publishing, of the stores while the home is founded, of the home while it is tried. */
interface Failing {
  readonly world: World
  readonly azure: Azure
  readonly data: string
  readonly calls: readonly string[]
  /** Fails the n-th call from now on. */
  readonly fail: (at: number, how: Break) => void
}

const STAGE = 'dev'
const GROUP = `ampere-${STAGE}`
const FOUNDERS = ['--institution', 'st-marys=St Mary', '--institution', 'clinic=Clinic']
const built = freshFolder()
const worlds: World[] = []

async function failing(): Promise<Failing> {
  const calls: string[] = []
  const plan: { at: number; how: Break } = { at: -1, how: null }
  const next = (name: string): Break => {
    const how = calls.length === plan.at ? plan.how : null
    calls.push(name)
    return how
  }
  const world = await startWorld(({ method, path }) => next(`${method} ${path}`))
  worlds.push(world)
  const memory = openMemory()
  const faulty = withFaults(memory)
  faulty.plan((_, name) => next(`store ${name}`))
  const home = publishedHome(world.scm, GROUP, memory)
  const azure: Azure = {
    connection: world.connection,
    subscription: undefined,
    now: () => Date.now(),
    build: async () => ({ folder: built, bundles: HOME_ROLES.map(({ name }) => ({ role: name, bytes: 9 })) }),
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

const deploy = ({ azure, data }: Failing, ...args: readonly string[]): Promise<Ended> =>
  runOn(azure, ['deploy', 'azure', '--stage', STAGE, '--data', data, '--no-input', ...args])

/** What must be true of a deployment that is said to be made, however often it was begun. */
async function isWhole({ world, azure, data }: Failing): Promise<void> {
  const known = readCloudDeployment(join(data, 'cloud', `azure-${STAGE}`))
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
  expect(configs).toHaveLength(HOME_ROLES.length)
  expect(new Set(configs).size).toBe(1)
  expect((JSON.parse(configs[0] ?? '{}') as { registry?: string }).registry).toBe(known?.home?.registry)
  const apps = [...world.arm.resources(GROUP).values()].filter(({ type }) => type === 'Microsoft.Web/sites')
  expect(apps).toHaveLength(HOME_ROLES.length)
}

beforeAll(() => {
  for (const { name } of HOME_ROLES) {
    mkdirSync(join(built, name), { recursive: true })
    writeFileSync(join(built, name, 'index.mjs'), `// ${name}`)
  }
})
afterAll(async () => {
  for (const world of worlds) await world.close()
})

describe('a deployment to Azure', () => {
  it('is made, tried, and made again without a change', async () => {
    const one = await failing()
    const first = await deploy(one, ...FOUNDERS)
    expect({ code: first.code, err: first.code === 0 ? '' : first.err }).toEqual({ code: 0, err: '' })
    expect(first.out).toMatch(/Deployed: https:\/\/ampere-dev-\w+\.azure-api\.net/)
    expect(first.out).toContain('a record of 3 blocks')
    await isWhole(one)
    const packages = new Map(one.world.scm.packages)
    const again = await deploy(one)
    expect(again.code).toBe(0)
    await isWhole(one)
    // The same bundles and the same home are the same bytes.
    for (const [name, files] of one.world.scm.packages) expect(files).toEqual(packages.get(name))
  })

  it('goes on where it was, whichever call failed, done or not', async () => {
    const sample = await failing()
    expect((await deploy(sample, ...FOUNDERS)).code).toBe(0)
    const faults = faultsOf(sample.calls)
    const published = sample.calls.findIndex((name) => name.includes('/api/publish'))
    const counts = { failed: 0, survived: 0 }
    // What was published and tried before stays, so one deployment serves for all these.
    const late = await failing()
    for (const { at, how, name } of faults) {
      const one = at < published ? await failing() : late
      one.fail(at, how)
      const broken = await deploy(one, ...(isFounded(one) ? [] : FOUNDERS))
      const said = `${at} ${name} ${how}: ${broken.err.split('\n').slice(-3).join(' | ')}`
      expect({ said, stack: /\n\s+at /.test(broken.err) }).toEqual({ said, stack: false })
      if (broken.code !== 0) expect(broken.err).toMatch(/\n {2}Next: /)
      counts[broken.code === 0 ? 'survived' : 'failed']++
      if (one === late) continue
      one.fail(-1, null)
      const again = await deploy(one, ...(isFounded(one) ? [] : FOUNDERS))
      expect({ said, err: again.code === 0 ? '' : again.err }).toEqual({ said, err: '' })
      await isWhole(one)
      await one.world.close()
    }
    late.fail(-1, null)
    expect((await deploy(late)).code).toBe(0)
    await isWhole(late)
    console.log(sample.calls.length, faults.length, counts)
    expect(counts.failed).toBeGreaterThan(counts.survived)
  }, 300_000)
})

/** Of each kind of call, whatever its role, the first and the last; what changes something is also done and not known to be. */
function faultsOf(calls: readonly string[]) {
  const kindOf = (name: string) => name.replaceAll(/-[a-z]+-[0-9a-f]{13}/g, '-ROLE')
  return calls
    .map((name, at) => ({ name, at, kind: kindOf(name) }))
    .filter(
      ({ kind }, at, all) =>
        all.findIndex((one) => one.kind === kind) === at ||
        all.findLastIndex((one) => one.kind === kind) === at,
    )
    .flatMap(({ name, at }) => {
      const changes = /^(PUT|POST .*publish|home POST|store .*insert)/.test(name)
      const how = changes ? (['not-applied', 'applied-unknown'] as const) : (['not-applied'] as const)
      return how.map((each) => ({ name, at, how: each }))
    })
}

function isFounded({ data }: Failing): boolean {
  return readCloudDeployment(join(data, 'cloud', `azure-${STAGE}`))?.home != null
}
