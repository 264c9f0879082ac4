// SPDX-License-Identifier: Apache-2.0
import { countCalls } from '#adapters/around/counts.ts'
import type { Fetch } from '#core/ports/keys.ts'
import type { Needs, Platform } from '#core/ports/needs.ts'
import type { CloudConfig } from '#functions/host/cloud/config.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { configOf, openApart } from '../apart.ts'

/** A home whose roles are apart, with its calls counted for each role. */
export async function homeApart(
  given?: TestDeployment,
  more: Partial<CloudConfig> = {},
  around: (role: string, platform: Platform) => Platform = (_, platform) => platform,
) {
  const made: { fetch?: Fetch } = {}
  const world = given ?? (await testDeployment(['hospital-a']))
  const counts = new Map<string, ReturnType<typeof countCalls>>()
  const of = (role: string): Platform => {
    const counted = counts.get(role) ?? countCalls(around(role, world.platform))
    counts.set(role, counted)
    // What a role asks of others is asked of this home, which is at hand.
    return { ...counted.platform, fetch: async (request) => (made.fetch ?? world.fetch)(request) }
  }
  const hosting = { now: () => world.clock.now, random: world.random, log: silentLog }
  const apart = await openApart(of, { ...(await configOf(world.platform, world.home)), ...more }, hosting)
  made.fetch = apart.fetch
  const client = () => world.connect('hospital-a', { fetch: apart.fetch })
  const get = async (path: string) => apart.fetch(new Request(new URL(path, ORIGIN)))
  return { world, apart, client, get, counts }
}

const ACCESS: Readonly<Record<string, readonly string[]>> = {
  get: ['read', 'append', 'write'],
  range: ['read', 'append', 'write'],
  insert: ['append', 'write'],
  swap: ['write'],
  fetch: ['fetch', 'store', 'shred'],
  store: ['store', 'shred'],
  shred: ['shred'],
  sign: ['sign'],
  unwrap: ['unwrap'],
}

/** Whether a role that has these needs may make a call. */
export function isNeeded(needs: Needs, call: string): boolean {
  const [port = '', name = '', method = ''] = call.split('.')
  if (port === 'uploads') return needs.uploads === 'offer'
  const part = { table: needs.tables, objects: needs.objects, key: needs.keys }[port] ?? {}
  const access = (part as Readonly<Record<string, string>>)[name]
  return access !== undefined && (ACCESS[method] ?? []).includes(access)
}
