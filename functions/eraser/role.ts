// SPDX-License-Identifier: Apache-2.0
import { ERASER_NEEDS } from '#core/server/erase.ts'

/** Carries out, when it is woken and on schedule, what committed blocks order to be erased. It has no route. */
export const role = { name: 'eraser', needs: ERASER_NEEDS } as const
