// SPDX-License-Identifier: Apache-2.0
import { SWEEPER_NEEDS } from '#core/server/sweep/needs.ts'

/** Removes, on schedule, what was stored for blocks that never committed. It has no route and no key. */
export const role = { name: 'sweeper', needs: SWEEPER_NEEDS } as const
