// SPDX-License-Identifier: Apache-2.0
import { FOLLOW_NEEDS } from '#core/server/follow/needs.ts'

/**
 * Follows, on schedule, a registry that is at home elsewhere, of which it asks nobody but that home. A role of its own: who keeps the
 * registry answers anybody and asks nobody.
 */
export const role = { name: 'follower', needs: FOLLOW_NEEDS } as const
