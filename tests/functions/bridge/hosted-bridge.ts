// SPDX-License-Identifier: Apache-2.0
import { countCalls } from '#adapters/around/counts.ts'
import { openMemory } from '#adapters/memory/open.ts'
import { toBase64url } from '#core/bytes/encoding.ts'
import { formatPolicy } from '#core/log/policy/policy.ts'
import type { Platform } from '#core/ports/needs.ts'
import { openBridging, openHostedBridge, type BridgeHosted } from '#functions/bridge/alone.ts'
import { role } from '#functions/bridge/role.ts'
import { openChecking } from '#functions/checker/alone.ts'
import { parseBridgeConfig } from '#functions/host/cloud/bridge-config.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { logKeysOf } from '#tests/core/server/cosign/witnessed-world.ts'
import { instanceRecords, testDeployment, type TestOptions } from '#tests/deployment.ts'

/** Beside which the repository's own files lie, as a bundle's lie beside it. */
const BESIDE = new URL('../../../index.mjs', import.meta.url).href

/** An institution's bridge as a deployment of its own: its platform is another than the home's, and only the home's address joins them. */
export async function hostedBridge(
  institutions: readonly string[] = ['hospital-a'],
  options: TestOptions = {},
  origin = 'https://bridge.test',
) {
  const world = await testDeployment(institutions, options)
  const { clock, random } = world
  const institution = world.institution('hospital-a')
  const base = openMemory({ now: () => clock.now, random, fetch: world.fetch })
  const { instance, key } = instanceRecords('hospital-a-3', institution.id, await base.signer('bridge'), [
    'control',
    'create',
  ])
  await world.change('hospital-a', [{ act: 'enrol', instance, key }])
  const text = JSON.stringify(await configOf(world, base, origin))
  const counted = countCalls(base)
  /** A process of its own, with nothing but its platform and what it is told. */
  const hosted = (platform: Platform = counted.platform): BridgeHosted => ({
    platform,
    config: parseBridgeConfig(text),
    hosting: { now: () => clock.now, random, log: silentLog },
    beside: BESIDE,
  })
  return {
    world,
    platform: base,
    text,
    hosted,
    counts: counted.counts,
    bridging: () => openBridging(hosted()),
    checking: () => openChecking(hosted()),
    open: (platform?: Platform) => openHostedBridge(hosted(platform), role.needs),
  }
}

async function configOf(
  world: Awaited<ReturnType<typeof testDeployment>>,
  platform: Platform,
  bridgeOrigin: string,
): Promise<object> {
  const { deployment, origin } = world.home
  const logs = (await logKeysOf(world.platform, origin)).map((key) => ({ key, url: null }))
  const wrapper = await platform.unwrapper('sealing')
  const wrap = async (seed: Uint8Array) => toBase64url(await wrapper.wrap(seed))
  return {
    v: 1,
    origin: bridgeOrigin,
    telemetry: null,
    bridge: {
      institution: 'hospital-a',
      home: {
        deployment,
        origin,
        registry: world.registryId,
        policy: formatPolicy({ logs, witnesses: [], groups: [], quorum: null }),
      },
      seeds: {
        sealing: await wrap(world.institution('hospital-a').sealingSeed),
        index: await wrap(world.random(32)),
      },
      backupDays: 35,
    },
  }
}
