// SPDX-License-Identifier: Apache-2.0
import type { DeploymentId } from '../bytes/ids.ts'
import type { Verifiers } from '../crypto/signature.ts'
import type { Now } from '../ports/keys.ts'
import type { RegistrySource } from './store/registry.ts'

/** What every act of a home knows about the deployment that it runs in. */
export interface Home {
  readonly deployment: DeploymentId
  readonly origin: string
  /** Of what it acknowledged itself; only its mirrors say `mirrored`. */
  readonly durability: 'local' | 'region'
  /** Days until the last backup that could still hold an erased key expires; 0 where no backups are made. */
  readonly backupDays: number
  readonly registry: RegistrySource
  /** Cache of imported public keys. */
  readonly verifiers: Verifiers
  /**
   * By which statements are dated, where the process has a clock that it holds against another. While that cannot be trusted
   * it throws AmpereError KEY_UNAVAILABLE: nothing is signed.
   */
  readonly dated?: Now
}
