// SPDX-License-Identifier: Apache-2.0
import { READER_NEEDS } from '#core/server/read/read-chain.ts'

export const role = { name: 'reader', needs: READER_NEEDS } as const
