// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../errors.ts'
import type { Platform } from './needs.ts'

/**
 * The same platform for whoever only looks: what would write, append or remove is refused before it reaches the stores.
 * Keys sign and unwrap as before, since that leaves nothing behind. Writes reject with AmpereError UNSUPPORTED.
 */
export function readOnly(platform: Platform): Platform {
  return {
    ...platform,
    table: (name) => ({ ...platform.table(name), insert: refuse, swap: refuse }),
    objects: (name) => ({ ...platform.objects(name), store: refuse, shred: refuse }),
    ...(platform.uploads ? { uploads: { ...platform.uploads, offer: refuse } } : {}),
  }
}

async function refuse(): Promise<never> {
  throw new AmpereError('UNSUPPORTED', 'the stores were opened only to be looked at: nothing is written')
}
