// SPDX-License-Identifier: Apache-2.0
import { openMemory } from '#adapters/memory/open.ts'
import { WITNESS_PREFIX } from '#core/api/log.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { moveChain } from '#core/client/acts/move-chain.ts'
import { connect, type Connection } from '#core/client/connect.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { storedSource } from '#core/server/copy/source.ts'
import type { Home } from '#core/server/home.ts'
import { READER_NEEDS } from '#core/server/read/read-chain.ts'
import { receiptFinder } from '#core/server/read/receipt.ts'
import { RESTORE_NEEDS } from '#core/server/restore/needs.ts'
import { receiveHome, type LeftHome, type ReceiveReport } from '#core/server/restore/receive.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { homeApp } from '#functions/all.ts'
import { silentLog, silentTelemetry } from '#functions/host/telemetry.ts'
import { NEW_HOME } from '#tests/core/chain/small-chain.ts'
import {
  deployed,
  memorySeen,
  ORIGIN,
  seededRandom,
  START_MS,
  testDeployment,
  type TestDeployment,
} from '#tests/deployment.ts'
import { withKeptKeys } from '#tests/kept-keys.ts'
import { logKeysOf, makeWitness } from '../cosign/witnessed-world.ts'

/** A home that serves, and a second deployment of the same registry that may receive its chains. */
export interface MovedWorld {
  /** Who is reached at an origin: without its witness a log goes on unwitnessed. */
  readonly between: Map<string, Fetch>
  readonly world: TestDeployment
  readonly clock: { now: number }
  /** Pins the logs of both homes, and one witness that sees both. */
  readonly policy: Policy
  /** The first home, as it is received. */
  readonly left: LeftHome
  readonly platform: Platform
  readonly home: Home
  /** Copies what the first home has and the second lacks. */
  receive(platform?: Platform, from?: LeftHome): Promise<ReceiveReport>
  /** Moves chains: the first home takes their rehomes, the second receives them, both log. */
  move(a: Connection, chains: readonly ChainId[]): Promise<void>
  /** The second home, serving; to be asked for once it has received something. */
  serve(): Promise<{ readonly fetch: Fetch; readonly tendLog: () => Promise<void> }>
  /** The same reader at the second home. */
  at(institution: string): Promise<Connection>
}

/** Two homes of one registry, which is moved to the second with its next block. */
export async function movedWorld(): Promise<MovedWorld> {
  const clock = { now: START_MS }
  const between = new Map<string, Fetch>()
  const fetch: Fetch = (request) => {
    const to = between.get(new URL(request.url).origin)
    return to ? to(request) : Promise.reject(new TypeError('nobody is there'))
  }
  const make = (seed: number, name: string) =>
    withKeptKeys(openMemory({ now: () => clock.now, random: seededRandom(seed), fetch }), name)
  const [base, platform] = [make(11, 'moved-world'), make(12, 'moved-world-2')]
  const policy = await policyOf(base, platform, between, clock)
  const world = await testDeployment(['hospital-a', 'hospital-b'], { base, policy, clock })
  await world.change('hospital-a', [
    deployed(world.institution('hospital-a').id, NEW_HOME, await platform.signer('head')),
  ])
  const home: Home = {
    ...world.home,
    ...NEW_HOME,
    registry: createRegistrySource(platform.table('registry'), world.registryId, createVerifiers()),
  }
  const left: LeftHome = {
    deployment: world.home.deployment,
    origin: world.home.origin,
    source: storedSource(await select(world.platform, BACKUP_NEEDS)),
    findReceipt: receiptFinder(await select(world.platform, READER_NEEDS), policy),
  }
  let serving: ReturnType<MovedWorld['serve']> | null = null
  const moved: MovedWorld = {
    between,
    world,
    clock,
    policy,
    left,
    platform,
    home,
    receive: async (to = platform, from = left) => receiveHome(from, await select(to, RESTORE_NEEDS), home),
    move: async (a, chains) => {
      for (const chain of chains) await moveChain(a, chain, NEW_HOME).catch(ignoreMoved)
      await world.tendLog()
      await moved.receive()
      await (await moved.serve()).tendLog()
    },
    serve: () => (serving ??= served(moved)),
    at: async (institution) => {
      const { fetch: ask } = await moved.serve()
      const { ports } = world.connect(institution, { policy })
      return connect({
        ...ports,
        fetch: ask,
        seen: memorySeen(),
        pins: { ...ports.pins, origin: NEW_HOME.origin },
      })
    },
  }
  return moved
}

async function served({ platform, home, clock, policy }: MovedWorld) {
  const hosting = {
    now: () => clock.now,
    random: seededRandom(13),
    log: silentLog,
    telemetry: silentTelemetry,
  }
  const options = { policy, pause: async (ms: number) => void (clock.now += ms) }
  const { app, tendLog } = await homeApp(platform, home, hosting, options)
  const ask: Fetch = async (request) => app.fetch(request)
  return { fetch: ask, tendLog }
}

/** Where a chain left already there is nothing to do. */
function ignoreMoved(error: unknown): void {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'CHAIN_MOVED') throw error
}

async function policyOf(
  first: Platform,
  second: Platform,
  between: Map<string, Fetch>,
  clock: { now: number },
): Promise<Policy> {
  const keys = (await logKeysOf(first)).map(formatVerifierKey)
  const newKeys = (await logKeysOf(second, NEW_HOME.origin)).map(formatVerifierKey)
  const origin = 'http://w1.test'
  const witness = await makeWitness(origin, keys, clock, 20, { [NEW_HOME.origin]: newKeys })
  between.set(origin, witness.app)
  const lines = [...keys, ...newKeys].map((key) => `log ${key}`)
  for (const [k, key] of witness.keys.entries())
    lines.push(`witness w1-${k} ${formatVerifierKey(key)} ${origin}${WITNESS_PREFIX}`)
  lines.push('group w1 all w1-0 w1-1', 'quorum w1')
  return parsePolicy(`${lines.join('\n')}\n`)
}

export { NEW_HOME, ORIGIN as OLD_ORIGIN }
