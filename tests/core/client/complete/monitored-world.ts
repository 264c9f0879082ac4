// SPDX-License-Identifier: Apache-2.0
import { openMemory } from '#adapters/memory/open.ts'
import { logOriginOf } from '#core/api/log.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { checkComplete } from '#core/client/complete/completeness.ts'
import type { Completeness } from '#core/client/complete/monitor-words.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { LOOKUP_NEEDS, MONITOR_NEEDS } from '#core/server/monitor/needs.ts'
import { watchLog } from '#core/server/monitor/watch.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { lookupApp } from '#functions/lookup/app.ts'
import { deploying } from '#tests/core/registry/members.ts'
import { witnessedWorld, type WitnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { ORIGIN, seededRandom } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const MONITORS = ['http://m1.test', 'http://m2.test', 'http://m3.test']

/** A deployment that monitors the home's log. */
export interface MonitoringDeployment {
  readonly origin: string
  readonly platform: Platform
  /** Looks at the log once. */
  watch(): Promise<void>
}

/** A record in a witnessed home whose log three other deployments monitor. */
export interface MonitoredWorld extends WitnessedWorld {
  readonly record: ChainId
  readonly author: Connection
  readonly monitors: readonly MonitoringDeployment[]
  /** What stands in place of a monitor, by origin. */
  readonly instead: Map<string, Fetch>
  append(text: string): Promise<void>
  /** Logs and cosigns everything, and lets every monitor see it. */
  settle(): Promise<void>
  /** A reader that pins these monitors. */
  reader(options?: ReaderOptions): Connection
  /** What that reader learns of the record. */
  ask(options?: ReaderOptions): Promise<Completeness>
}

export interface ReaderOptions {
  readonly origins?: readonly string[]
  readonly need?: number
  readonly policy?: Policy
  readonly fetch?: Fetch
}

/** One of two witnesses must cosign; monitors are deployments of the second institution. */
export async function monitoredWorld(): Promise<MonitoredWorld> {
  const made = await witnessedWorld(['w1', 'w2'], 1)
  const { world, policy } = made
  const instead = new Map<string, Fetch>()
  const apps = new Map<string, Fetch>()
  const monitors: MonitoringDeployment[] = []
  for (const [i, origin] of MONITORS.entries()) {
    const { app, ...monitor } = await makeMonitor(made, origin, 40 + i)
    apps.set(origin, app)
    monitors.push(monitor)
  }
  const route: Fetch = (request) => {
    const { origin } = new URL(request.url)
    const to = instead.get(origin) ?? apps.get(origin)
    return to ? to(request) : world.fetch(request)
  }
  const reader = (options: ReaderOptions = {}) =>
    world.connect('hospital-a', {
      policy: options.policy ?? policy,
      monitors: { origins: options.origins ?? MONITORS, need: options.need ?? 2 },
      fetch: async (request) => {
        const isHome = request.url.startsWith(ORIGIN)
        return isHome && options.fetch ? options.fetch(request) : route(request)
      },
    })
  const author = world.connect('hospital-a', { policy })
  const { record } = await createRecord(author, HOME, ['general'])
  return {
    ...made,
    record,
    author,
    monitors,
    instead,
    reader,
    append: async (text) => {
      await author.append(record, [{ header: utf8('{}'), content: utf8(text), compartment: 'general' }])
    },
    settle: async () => {
      await world.tendLog()
      for (const monitor of monitors) await monitor.watch()
    },
    ask: async (options) => {
      const connection = reader(options)
      const replica = await connection.replica(record)
      return checkComplete(connection, replica, await readReceipts(connection, replica))
    },
  }
}

async function makeMonitor({ world, policy, clock }: WitnessedWorld, origin: string, seed: number) {
  const random = seededRandom(seed)
  const platform = openMemory({ now: () => clock.now, random, fetch: world.fetch })
  await world.change('hospital-a', [
    deploying('hospital-a', `monitor-${seed}`, origin, await platform.signer('head')),
  ])
  const hosting = { now: () => clock.now, random, log: silentLog }
  const app = lookupApp(await select(platform, LOOKUP_NEEDS), hosting)
  const ports = await select(platform, MONITOR_NEEDS)
  const monitor = { verifiers: createVerifiers(), deadline: () => new AbortController().signal }
  const watched = { origin: logOriginOf(ORIGIN), url: `${ORIGIN}/log`, policy }
  const ask: Fetch = async (request) => app.fetch(request)
  return {
    origin,
    platform,
    app: ask,
    watch: async () => {
      const { outcome } = await watchLog(ports, monitor, watched)
      if (outcome !== 'current') throw new Error(`the monitor is ${outcome}`)
    },
  }
}
