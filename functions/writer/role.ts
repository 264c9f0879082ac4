// SPDX-License-Identifier: Apache-2.0
import { WRITER_NEEDS } from '#core/server/append/needs.ts'

export const role = { name: 'writer', needs: WRITER_NEEDS } as const
