// SPDX-License-Identifier: Apache-2.0
import { openMemory } from '#adapters/memory/open.ts'
import { withKeptKeys } from '#tests/kept-keys.ts'
import { logOriginOf, witnessNameOf, WITNESS_PREFIX } from '#core/api/log.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { formatVerifierKey, logKeyOfJwk, type LogKey } from '#core/log/note/key.ts'
import { parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { witnessKeys } from '#core/server/witness/cosign.ts'
import { addLog } from '#core/server/witness/logs.ts'
import { WITNESS_NEEDS } from '#core/server/witness/needs.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { witnessApp } from '#functions/witness/app.ts'
import { ORIGIN, seededRandom, START_MS, testDeployment, type TestDeployment } from '#tests/deployment.ts'

/** A home with a log, and witnesses in places of their own that its policy asks for. */
export interface WitnessedWorld {
  readonly world: TestDeployment
  readonly policy: Policy
  readonly clock: { now: number }
  /** What stands between the home and each witness; a test may put something else there. */
  readonly between: Map<string, Fetch>
  readonly witnesses: readonly string[]
  readonly base: Platform
}

/** The keys of a platform's log. */
export async function logKeysOf(platform: Platform, origin = ORIGIN): Promise<readonly LogKey[]> {
  const name = logOriginOf(origin)
  return [
    logKeyOfJwk(name, 'Ed25519', (await platform.signer('log')).publicKey),
    logKeyOfJwk(name, 'cosignature-ML-DSA-44', (await platform.signer('log-quantum')).publicKey),
  ]
}

/** `quorum` of `names` must cosign; each is a group of all keys of its witness. */
export async function witnessedWorld(
  names: readonly string[],
  quorum: number,
  wrap: (base: Platform) => Platform = (base) => base,
  institutions: readonly string[] = ['hospital-a'],
): Promise<WitnessedWorld> {
  const clock = { now: START_MS }
  const between = new Map<string, Fetch>()
  const fetch: Fetch = (request) => {
    const to = between.get(new URL(request.url).origin)
    return to ? to(request) : Promise.reject(new TypeError('nobody is there'))
  }
  const base = withKeptKeys(
    openMemory({ now: () => clock.now, random: seededRandom(11), fetch }),
    'witnessed-world',
  )
  const logKeys = (await logKeysOf(base)).map(formatVerifierKey)
  const lines = logKeys.map((key) => `log ${key}`)
  for (const [i, name] of names.entries()) {
    const origin = `http://${name}.test`
    const { keys, app } = await makeWitness(origin, logKeys, clock, 20 + i)
    between.set(origin, app)
    for (const [k, key] of keys.entries())
      lines.push(`witness ${name}-${k} ${formatVerifierKey(key)} ${origin}${WITNESS_PREFIX}`)
    lines.push(`group ${name} all ${name}-0 ${name}-1`)
  }
  lines.push(`group quorum ${quorum} ${names.join(' ')}`, 'quorum quorum')
  const policy = parsePolicy(`${lines.join('\n')}\n`)
  const world = await testDeployment(institutions, { base, platform: wrap, policy, clock })
  return { world, policy, clock, between, witnesses: names.map((name) => `http://${name}.test`), base }
}

/** A witness of the home's log at an origin of its own, and of the logs of others. */
export async function makeWitness(
  origin: string,
  logKeys: readonly string[],
  clock: { now: number },
  seed: number,
  others: Readonly<Record<string, readonly string[]>> = {},
): Promise<{ readonly keys: readonly LogKey[]; readonly app: Fetch }> {
  const random = seededRandom(seed)
  const platform = withKeptKeys(openMemory({ now: () => clock.now, random }), origin)
  const ports = await select(platform, WITNESS_NEEDS)
  await addLog(ports, logOriginOf(ORIGIN), logKeys)
  for (const [home, keys] of Object.entries(others)) await addLog(ports, logOriginOf(home), keys)
  const hosting = { now: () => clock.now, random, log: silentLog }
  const name = witnessNameOf(origin)
  const app = witnessApp(ports, { name, verifiers: createVerifiers() }, hosting)
  return { keys: witnessKeys(ports, name), app: async (request) => app.fetch(request) }
}
