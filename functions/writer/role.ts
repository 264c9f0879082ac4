// SPDX-License-Identifier: Apache-2.0
import { APPEND_NEEDS } from '#core/server/append/needs.ts'
import { HOLDER_NEEDS } from '#core/server/holders.ts'

export const role = {
  name: 'writer',
  needs: { ...APPEND_NEEDS, tables: { ...HOLDER_NEEDS.tables, ...APPEND_NEEDS.tables } },
} as const
