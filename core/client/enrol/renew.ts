// SPDX-License-Identifier: Apache-2.0
import type { Kid } from '../../bytes/ids.ts'
import { timestampMs, toTimestamp } from '../../bytes/timestamp.ts'
import { parseJws } from '../../block/jws.ts'
import { parseWith } from '../../bytes/schema.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import type { Signer } from '../../ports/keys.ts'
import { registryBlockSchema } from '../../registry/block.ts'
import { buildChange, keyRecord } from '../../registry/build.ts'
import type { InstanceRecord } from '../../registry/records.ts'
import { MAX_EXPIRY_MS } from '../../registry/rules/expiry.ts'
import { activeInstanceOf, asOf } from '../../registry/snapshot.ts'
import type { Connection } from '../connect.ts'
import { syncRegistry } from '../read/replica.ts'

const MAX_ATTEMPTS = 4

/** The active instance that signs with a key, and since when that key is in force, in ms since 1970; null where it is none. */
export function keyInForce(
  { sync, ports }: Pick<Connection, 'sync' | 'ports'>,
  signing: Kid,
): { readonly instance: InstanceRecord; readonly sinceMs: number } | null {
  const active = activeInstanceOf(asOf(sync.registry.newest(), ports.now()), signing)
  const height = sync.registry.since(`key/${signing}`)
  const compact = height === null ? undefined : sync.registry.blocks()[height]
  if (!active || compact === undefined) return null
  const { payload } = parseJws(compact, 'ampere-registry+jws')
  const { time } = parseWith(registryBlockSchema, payload, 'BLOCK_MALFORMED', 'registry block')
  return { instance: active.instance, sinceMs: timestampMs(time) }
}

/** True when less than a quarter is left of the time from when a key was put in force to when its instance expires. */
export function isRenewalDue(instance: InstanceRecord, sinceMs: number, nowMs: number): boolean {
  if (instance.expires === undefined) return false
  const endMs = timestampMs(instance.expires)
  return endMs - nowMs < (endMs - sinceMs) / 4
}

/**
 * Gives the instance that `current` signs for the key of `next`, for as long again as it had. What was sent before and
 * whose answer was lost is found in the registry; so the same `next` is to be given until it is in force.
 * @throws AmpereError NOT_FOUND where `current` signs for none that expires, VIOLATION, CLOCK_SKEW, UPSTREAM_FAILED
 */
export async function renewInstance(connection: Connection, current: Signer, next: Signer): Promise<void> {
  const { ports, sync, api } = connection
  for (let attempt = 1; ; attempt++) {
    if (keyInForce(connection, next.kid)) return
    const at = keyInForce(connection, current.kid)
    const parent = sync.registry.link()
    if (!at || !parent || at.instance.expires === undefined)
      throw new AmpereError('NOT_FOUND', 'the key is that of no instance that can be renewed')
    const { id, institution, expires } = at.instance
    const lifeMs = Math.min(timestampMs(expires) - at.sinceMs, MAX_EXPIRY_MS)
    const change = {
      act: 'renew' as const,
      key: keyRecord(next.publicKey, 'sign', { institution, instance: id }),
      expires: toTimestamp(ports.now() + lifeMs),
    }
    try {
      await api.addRegistryBlock(await buildChange(ports, parent, [change], current))
    } catch (error) {
      const isOpen = isAmpereError(error, 'HEAD_CONFLICT', 'UPSTREAM_FAILED', 'STORE_UNAVAILABLE')
      if (!isOpen || attempt === MAX_ATTEMPTS) throw error
    }
    await syncRegistry(sync)
  }
}
