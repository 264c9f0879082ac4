// SPDX-License-Identifier: Apache-2.0
import type { Deadline } from '../../order/deadline.ts'
import type { Ports } from '../../ports/needs.ts'

/**
 * What following a registry uses: it adds blocks and can take none back, keeps in a table of its own how it stands, and has no key,
 * because it reads what strangers send.
 */
export const FOLLOW_NEEDS = {
  tables: { registry: 'append', following: 'write' },
  objects: {},
  keys: {},
} as const
export type FollowPorts = Ports<typeof FOLLOW_NEEDS>

/** What saying how a home follows uses. */
export const FOLLOWING_NEEDS = {
  tables: { registry: 'read', following: 'read' },
  objects: {},
  keys: {},
} as const
export type FollowingPorts = Pick<Ports<typeof FOLLOWING_NEEDS>, 'tables' | 'now'>

/** What one run may cost, and how it is asked for what is new. */
export interface FollowBounds {
  readonly deadline: Deadline
  /** Blocks that one run adds at most. */
  readonly maxBlocks: number
  /** After how many milliseconds it asks for nothing more; the next run goes on. */
  readonly maxMs: number
}

/** Bounds of a run that is called each minute. */
export const FOLLOW_BOUNDS = { maxBlocks: 5000, maxMs: 40_000 } as const
