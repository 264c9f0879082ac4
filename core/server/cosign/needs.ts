// SPDX-License-Identifier: Apache-2.0
import type { Ports } from '../../ports/needs.ts'

/** What having checkpoints cosigned uses. */
export const COSIGNER_NEEDS = {
  tables: { checkpoints: 'write' },
  objects: { log: 'fetch' },
  keys: {},
} as const
export type CosignerPorts = Ports<typeof COSIGNER_NEEDS>
