// SPDX-License-Identifier: Apache-2.0
import { KEEPER_NEEDS } from '#core/server/mirror/copy-of.ts'
import { STANDING_NEEDS } from '#core/server/standing/standing.ts'

/**
 * Answers from what the mirror copied: to anybody how far, to whoever keeps the lost home all of it, and to whoever operates this one
 * what came of its runs, for which it reads the registry. It holds no key.
 */
export const role = {
  name: 'keeper',
  needs: { ...KEEPER_NEEDS, tables: { ...KEEPER_NEEDS.tables, ...STANDING_NEEDS.tables, registry: 'read' } },
} as const
