// SPDX-License-Identifier: Apache-2.0
import type { DeploymentRecord } from '../records.ts'
import { recordsIn, type RegistryState } from '../state.ts'

/**
 * True when another deployment has the origin already. Head statements are believed by origin, so a second
 * deployment at one origin could sign them in the first one's name.
 */
export function isOriginTaken(state: RegistryState, { id, origin }: DeploymentRecord): boolean {
  for (const record of recordsIn(state)) {
    if (record.kind === 'deployment' && record.origin === origin && record.id !== id) return true
  }
  return false
}
