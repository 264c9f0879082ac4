// SPDX-License-Identifier: Apache-2.0
import { timestampMs, type Timestamp } from '../../bytes/timestamp.ts'
import type { Home } from '../home.ts'
import type { FollowingPorts } from './needs.ts'
import { registryHomeIn } from './registry-home.ts'
import { readContact, readFork, type Contact, type RegistryFork } from './rows.ts'

/** For how long the registry's home may not be seen before a home says so, in milliseconds. */
export const MAX_UNSEEN_MS = 300_000

/** How a home stands to its registry. */
export interface FollowStanding {
  /**
   * `home`: the registry is at home here; `followed`: all that its home showed within `MAX_UNSEEN_MS` is here; `unseen`: its home was
   * not seen for longer, so what it revoked since is not known here; `forked`: it was shown with two histories.
   */
  readonly registry: 'home' | 'followed' | 'unseen' | 'forked'
  /** Origin of the registry's home. */
  readonly origin: string
  /** When it was seen last; null for never, and where that is here. */
  readonly seen: Timestamp | null
  readonly failed: Contact['failed']
  readonly fork: RegistryFork | null
}

/** How a home stands to its registry. @throws AmpereError STORE_CORRUPT, STORE_UNAVAILABLE; NOT_FOUND while the registry is empty */
export async function readFollowing(ports: FollowingPorts, home: Home): Promise<FollowStanding> {
  const { deployment, origin } = registryHomeIn((await home.registry.refresh()).said())
  if (deployment === home.deployment)
    return { registry: 'home', origin, seen: null, failed: null, fork: null }
  const [contact, fork] = [await readContact(ports), await readFork(ports)]
  const seen = contact?.seen ?? null
  // A time from the future is no more to be relied on than one that is long ago.
  const isSeen = seen !== null && Math.abs(ports.now() - timestampMs(seen)) <= MAX_UNSEEN_MS
  const registry = fork ? 'forked' : isSeen ? 'followed' : 'unseen'
  return { registry, origin, seen, failed: contact?.failed ?? null, fork }
}
